import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { readingTable } from '../../../../shared/adapters/readings/reading-table.ts';
import { envelopeId } from '../../../../shared/core/reading-id.ts';
import { throttled } from '../../../support/aws-errors.ts';
import { patientTools, plentyOfTime } from '../../../support/retry-tools.ts';
import { RECEIVED_AT_MS, reading } from '../../../support/uplinks.ts';

function setup() {
  const client = new DynamoDBClient({ region: 'eu-central-1' });
  const db = mockClient(client);
  db.on(BatchWriteItemCommand).resolves({});
  db.on(BatchGetItemCommand).resolves({});
  const table = readingTable(client, 'readings', 30, patientTools());
  const written = () =>
    db
      .commandCalls(BatchWriteItemCommand)
      .map(({ args: [{ input }] }) =>
        (input.RequestItems?.['readings'] ?? []).map(({ PutRequest }) => PutRequest?.Item ?? {}),
      );
  return { db, table, written };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, at) => reading({ observedAtMs: RECEIVED_AT_MS - at - 1 }));

describe('history', () => {
  it('keeps a reading under thing, day, time and id, until its days are over', async () => {
    const { table, written } = setup();
    const units = { temperature: 'Cel' };
    const metrics = { temperature: 21.5, ok: true, state: 'on' };
    await table.write([reading({ metrics, units })], plentyOfTime);
    expect(written()).toEqual([
      [
        {
          pk: { S: 'probe-1#2026-09-21' },
          sk: { S: `001789999999000#${'A'.repeat(22)}` },
          v: { N: '1' },
          id: { S: 'A'.repeat(22) },
          thing: { S: 'probe-1' },
          fleet: { S: 'acme' },
          kind: { S: 'telemetry' },
          transport: { S: 'mqtt' },
          observedAtMs: { N: '1789999999000' },
          receivedAtMs: { N: '1790000000000' },
          metrics: { M: { temperature: { N: '21.5' }, ok: { BOOL: true }, state: { S: 'on' } } },
          units: { M: { temperature: { S: 'Cel' } } },
          raw: { M: { messageId: { S: 'm-1' }, index: { N: '0' } } },
          expiresAt: { N: String(1_789_999_999 + 30 * 86_400) },
        },
      ],
    ]);
  });

  it('is written 25 items a request', async () => {
    const { table, written } = setup();
    await table.write(many(51), plentyOfTime);
    expect(written().map(({ length }) => length)).toEqual([25, 25, 1]);
  });

  it('writes a reading that is twice in a batch once, and hands both back when that fails', async () => {
    const { db, table, written } = setup();
    const [one, again] = [reading(), reading({ receivedAtMs: RECEIVED_AT_MS + 1 })];
    await table.write([one, again], plentyOfTime);
    expect(written()).toMatchObject([[{ receivedAtMs: { N: String(RECEIVED_AT_MS + 1) } }]]);
    db.on(BatchWriteItemCommand).rejects(throttled());
    const failures = await table.write([one, again], plentyOfTime);
    expect(failures.map(({ item }) => item)).toEqual([one, again]);
  });

  it('writes what was left unprocessed again, and hands it back in the end', async () => {
    const { db, table, written } = setup();
    db.on(BatchWriteItemCommand).callsFake(async ({ RequestItems }) => ({
      UnprocessedItems: { readings: RequestItems.readings.slice(-1) },
    }));
    const readings = many(3);
    const failures = await table.write(readings, plentyOfTime);
    expect(failures).toEqual([{ item: readings[2], reason: 'left unprocessed (throttled)' }]);
    expect(written().map(({ length }) => length)).toEqual([3, 1, 1, 1, 1, 1]);
  });
});

describe('the time of a reading whose device gave none', () => {
  const received = reading({ observedAtMs: RECEIVED_AT_MS });
  const resent = reading({
    observedAtMs: RECEIVED_AT_MS + 40_000,
    receivedAtMs: RECEIVED_AT_MS + 40_000,
  });

  it('is kept under its id at first', async () => {
    const { table, written } = setup();
    const { settled } = await table.settleTimes([received], plentyOfTime);
    expect(settled.get(received)).toBe(received);
    expect(written()).toMatchObject([
      [
        {
          pk: { S: 'probe-1#first-time' },
          sk: { S: 'A'.repeat(22) },
          observedAtMs: { N: String(RECEIVED_AT_MS) },
          expiresAt: { N: String(1_790_000_000 + 30 * 86_400) },
        },
      ],
    ]);
  });

  it('is the first one when the device resends it', async () => {
    const { db, table, written } = setup();
    const row = {
      pk: { S: 'probe-1#first-time' },
      sk: { S: 'A'.repeat(22) },
      observedAtMs: { N: String(RECEIVED_AT_MS) },
    };
    db.on(BatchGetItemCommand).resolves({ Responses: { readings: [row] } });
    const { settled } = await table.settleTimes([resent], plentyOfTime);
    expect(settled.get(resent)).toEqual({ ...resent, observedAtMs: RECEIVED_AT_MS });
    expect(written()).toEqual([]);
  });

  it('is the first one when both come in one batch', async () => {
    const { table, written } = setup();
    const { settled } = await table.settleTimes([received, resent], plentyOfTime);
    expect(settled.get(resent)?.observedAtMs).toBe(RECEIVED_AT_MS);
    expect(written().flat()).toHaveLength(1);
  });

  it('is not asked for where a resend has another id, or the device its own time', async () => {
    const { db, table } = setup();
    const { thing, kind, raw } = received;
    const own = reading();
    const anonymous = { ...received, id: envelopeId({ thing, kind, ...raw }) };
    const { settled } = await table.settleTimes([own, anonymous], plentyOfTime);
    expect([...settled.values()]).toEqual([own, anonymous]);
    expect(db.calls()).toEqual([]);
  });

  it.each([
    ['asked for', BatchGetItemCommand],
    ['kept', BatchWriteItemCommand],
  ] as const)('fails the reading when it cannot be %s', async (_what, command) => {
    const { db, table } = setup();
    const own = reading();
    if (command === BatchGetItemCommand) db.on(BatchGetItemCommand).rejects(throttled());
    else db.on(BatchWriteItemCommand).rejects(throttled());
    const { settled, failures } = await table.settleTimes([received, own], plentyOfTime);
    expect(failures.map(({ item }) => item)).toEqual([received]);
    expect([...settled.keys()]).toEqual([own]);
  });
});
