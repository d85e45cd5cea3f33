import { KinesisClient } from '@aws-sdk/client-kinesis';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openDeadLetters } from '../../commands/dead-letters.ts';
import {
  bootLaptop,
  drainQueue,
  publishHttps,
  storedReadings,
  type TestLaptop,
} from '../support/laptop.ts';
import type { Template } from '../support/template.ts';

let laptop: TestLaptop;
afterEach(() => laptop.close());

interface Statement {
  readonly Sid: string;
}

/** Takes one statement out of a role's inline policy, as if nobody had granted it. */
function withhold(roleId: string, sid: string) {
  return (template: Template) => {
    const properties = template.Resources[roleId]?.Properties as {
      Policies: { PolicyDocument: { Statement: Statement[] } }[];
    };
    for (const { PolicyDocument } of properties.Policies) {
      const kept = PolicyDocument.Statement.filter(({ Sid }) => Sid !== sid);
      if (kept.length === PolicyDocument.Statement.length)
        throw new Error(`${roleId} has no statement ${sid}`);
      PolicyDocument.Statement = kept;
    }
  };
}

describe('a call is held to its caller’s role:', () => {
  it('without the grant to write readings, ingest fails with AccessDenied that names it, and loses nothing', async () => {
    laptop = await bootLaptop({ change: withhold('IngestRole', 'WriteReadings') });
    const device = await laptop.addDevice('probe-1', 'acme');
    await publishHttps(laptop, device, 'dt/acme/probe-1/telemetry', '{"a": 1}');
    const refused = () =>
      laptop.log.some(
        (entry) =>
          /kinesis:PutRecords/.test(JSON.stringify(entry)) &&
          /IngestRole|ingest/.test(JSON.stringify(entry)),
      );
    while (!refused()) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await storedReadings(laptop, 'probe-1')).toEqual([]);
    expect(await drainQueue(laptop, 'dead-letters')).toEqual([]);
  });

  it('without the grant to write uplinks, the rule runs its error action, and a replay brings the message in', async () => {
    laptop = await bootLaptop({ change: withhold('TelemetryRole', 'WriteUplinks') });
    const device = await laptop.addDevice('probe-1', 'acme');
    const answer = await publishHttps(laptop, device, 'dt/acme/probe-1/telemetry', '{"a": 1}');
    expect(answer.status).toBe(200);
    expect(laptop.counters().errorActions).toBe(1);

    const letters = openDeadLetters({
      sqs: new SQSClient(laptop.client),
      kinesis: new KinesisClient(laptop.client),
      stage: 'dev',
    });
    const report = await letters.walk({
      queue: 'error-actions',
      max: 10,
      wanted: () => true,
      send: true,
    });
    expect(report).toMatchObject({
      failures: [],
      letters: [
        {
          function: 'tributary_dev_telemetry',
          code: 'ERROR_ACTION',
          issues: [
            expect.stringMatching(
              /^KinesisAction: .*kinesis:PutRecord.*Message arrived on: dt\/acme\/probe-1\/telemetry/s,
            ),
          ],
          partitionKey: 'probe-1',
        },
      ],
    });
    await laptop.idle();
    expect(await storedReadings(laptop, 'probe-1')).toEqual([
      expect.objectContaining({ metrics: { a: 1 }, principal: 'unrecorded' }),
    ]);
    expect(await drainQueue(laptop, 'error-actions')).toEqual([]);
  });
});
