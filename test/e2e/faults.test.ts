import { afterEach, describe, expect, it } from '@jest/globals';
import { seeded } from '../../local/fleet/random.ts';
import { AwsError } from '../../local/operations/operation.ts';
import type { Fault, Faults } from '../../local/servers/aws-faults.ts';
import {
  bootLaptop,
  connectDevice,
  deadLetters,
  storedReadings,
  type TestLaptop,
} from '../support/laptop.ts';

let laptop: TestLaptop;
afterEach(() => laptop.close());

const THROTTLED = {
  Kinesis: new AwsError('ProvisionedThroughputExceededException', 'Rate exceeded for shard'),
  Dynamo: new AwsError(
    'ProvisionedThroughputExceededException',
    'The level of configured throughput was exceeded.',
  ),
  Down: new AwsError('InternalServerError', 'Internal server error', 500),
};

/** Of the calls that functions make, a third goes wrong in one of these ways, as long as the tests say. */
function troubled(seed: number, target: RegExp, kinds: readonly Fault[], calls: number): Faults {
  const random = seeded(seed);
  let left = calls;
  return ({ target: called, caller }) => {
    if (caller.kind !== 'function' || !target.test(called) || left === 0 || random() > 0.33)
      return undefined;
    left -= 1;
    return kinds[Math.floor(random() * kinds.length)];
  };
}

describe('while AWS stumbles, nothing is lost and nothing doubled:', () => {
  it.each([
    {
      what: 'Kinesis throttles, fails in parts, and loses answers',
      faults: troubled(
        1,
        /\.PutRecords$/,
        [THROTTLED.Kinesis, { failIndexes: [0, 3] }, { loseAnswer: true }],
        12,
      ),
    },
    {
      what: 'DynamoDB throttles, leaves items unprocessed, and loses answers',
      faults: troubled(
        2,
        /\.(?:BatchWriteItem|PutItem|BatchGetItem)$/,
        [THROTTLED.Dynamo, THROTTLED.Down, { failIndexes: [0, 1] }, { loseAnswer: true }],
        20,
      ),
    },
  ])('$what', async ({ faults }) => {
    laptop = await bootLaptop({ faults });
    const things = ['a', 'b', 'c', 'd'];
    await Promise.all(
      things.map(async (thing) => {
        const client = await connectDevice(laptop, await laptop.addDevice(thing, 'acme'));
        for (let seq = 0; seq < 50; seq += 1) {
          await client.publishAsync(`dt/acme/${thing}/telemetry`, JSON.stringify({ seq, v: seq }), {
            qos: 1,
          });
        }
        await client.endAsync();
      }),
    );
    await laptop.idle();
    for (const thing of things) {
      const values = (await storedReadings(laptop, thing)).map(({ metrics }) =>
        Number(metrics['v']),
      );
      expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, seq) => seq));
    }
    expect(await deadLetters(laptop)).toEqual([]);
  });
});
