import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { seeded } from '../../local/fleet/random.ts';
import { itemBytes, unitsOf } from '../../shared/adapters/item-size.ts';
import { HOUR_MS, MINUTE_MS, openDetectWorld, readingAt, T0 } from '../support/detection-world.ts';
import { plentyOfTime } from '../support/retry-tools.ts';

/** As AWS IoT for LoRaWAN names devices. */
const THING = '5b58245e-146c-4c30-9703-0ca942e3ff35';
const SOURCE_IP = '2001:0db8:85a3:0000:0000:8a2e:0370:7334';
const METRICS = ['temperature', 'humidity', 'co2', 'pressure', 'battery', 'light', 'noise', 'rssi'];

let world: Awaited<ReturnType<typeof openDetectWorld>>;
beforeEach(async () => {
  world = await openDetectWorld();
});
afterEach(() => world.close());

/** Write units of all that is put from now on but the marks of shards; of an update, those of the item that it leaves. */
function countUnits(db: DynamoDBClient): { units: number } {
  const count = { units: 0 };
  const send = db.send.bind(db) as (command: unknown) => Promise<unknown>;
  const counting = async (command: unknown): Promise<unknown> => {
    const answer = await send(command);
    if (command instanceof PutItemCommand && command.input.Item?.['pk']?.S !== 'ingestion#') {
      count.units += unitsOf(itemBytes(command.input.Item ?? {}));
    }
    if (command instanceof BatchWriteItemCommand) {
      for (const { PutRequest } of Object.values(command.input.RequestItems ?? {}).flat()) {
        count.units += unitsOf(itemBytes(PutRequest?.Item ?? {}));
      }
    }
    if (command instanceof UpdateItemCommand) {
      const { TableName, Key } = command.input;
      const { Item = {} } = (await send(new GetItemCommand({ TableName, Key }))) as {
        Item?: Parameters<typeof itemBytes>[0];
      };
      count.units += unitsOf(itemBytes(Item));
    }
    return answer;
  };
  Object.assign(db, { send: counting });
  return count;
}

it.each([
  { reports: 'each minute', everyMs: MINUTE_MS, warmUp: 40, batches: 100 },
  { reports: 'each hour', everyMs: HOUR_MS, warmUp: 50, batches: 100 },
])(
  'a device of eight metrics that reports $reports takes at most 1.1 write units a batch',
  async ({ everyMs, warmUp, batches }) => {
    const random = seeded(3);
    // steady state is without anomalies
    await world.settings.put(
      { what: 'options', fleet: 'acme', options: { mutedUntilMs: T0 + 10_000 * HOUR_MS } },
      plentyOfTime,
    );
    const container = world.container();
    const report = async (at: number): Promise<void> => {
      world.clock.nowMs = T0 + at * everyMs;
      const metrics = Object.fromEntries(
        METRICS.map((name, place) => [name, 20 + place + (random() + random() + random()) / 2]),
      );
      const reading = readingAt(world.clock.nowMs, metrics, { thing: THING, sourceIp: SOURCE_IP });
      await container.take(world.eventOf([reading]));
      if (at % 60 === 59) await container.sweep();
    };
    for (let at = 0; at < warmUp; at += 1) await report(at);
    const count = countUnits(world.db);
    for (let at = warmUp; at < warmUp + batches; at += 1) await report(at);
    const { progress } = (await world.kept(THING))?.watched ?? {};
    expect(progress?.recent.length).toBeGreaterThanOrEqual(8);
    expect(world.mqtt).toEqual([]);
    expect(count.units / batches).toBeLessThanOrEqual(1.1);
  },
);
