import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { deviceTable } from '../../../../shared/adapters/readings/device-table.ts';
import { fleetDirectory } from '../../../../shared/adapters/readings/fleet-directory.ts';
import { throttled } from '../../../support/aws-errors.ts';
import { patientTools, plentyOfTime } from '../../../support/retry-tools.ts';
import { reading } from '../../../support/uplinks.ts';

function setup() {
  const client = new DynamoDBClient({ region: 'eu-central-1' });
  const db = mockClient(client);
  const devices = deviceTable(client, 'devices', patientTools());
  const puts = () => db.commandCalls(PutItemCommand).map(({ args: [{ input }] }) => input);
  return { db, devices, puts };
}

const refused = () => new ConditionalCheckFailedException({ $metadata: {}, message: 'no' });
const device = { thing: 'probe-1', fleet: 'acme', firstSeenAtMs: 5 };
const profile = (thing: string, fleet: string) => ({
  pk: { S: `thing#${thing}` },
  sk: { S: 'profile' },
  fleet: { S: fleet },
});

describe('the latest reading', () => {
  it('is one write for each device and kind, the newest of the batch', async () => {
    const { db, devices, puts } = setup();
    db.on(PutItemCommand).resolves({});
    const readings = [
      reading({ observedAtMs: 3 }),
      reading({ observedAtMs: 5, id: 'B'.repeat(22) }),
      reading({ observedAtMs: 5, id: 'C'.repeat(22) }),
      reading({ observedAtMs: 4, kind: 'status' }),
      reading({ observedAtMs: 1, thing: 'probe-2' }),
    ];
    await expect(devices.saveLatest(readings, plentyOfTime)).resolves.toEqual([]);
    expect(puts().map(({ Item }) => [Item?.['pk']?.S, Item?.['sk']?.S, Item?.['id']?.S])).toEqual([
      ['thing#probe-1', 'latest#telemetry', 'C'.repeat(22)],
      ['thing#probe-1', 'latest#status', 'A'.repeat(22)],
      ['thing#probe-2', 'latest#telemetry', 'A'.repeat(22)],
    ]);
  });

  it('gives way to none that is older, and of equal times to the greater id only', async () => {
    const { db, devices, puts } = setup();
    db.on(PutItemCommand).rejects(refused());
    await expect(devices.saveLatest([reading({ observedAtMs: 7 })], plentyOfTime)).resolves.toEqual(
      [],
    );
    expect(puts()).toMatchObject([
      {
        ConditionExpression:
          'attribute_not_exists(pk) OR observedAtMs < :at OR (observedAtMs = :at AND id < :id)',
        ExpressionAttributeValues: { ':at': { N: '7' }, ':id': { S: 'A'.repeat(22) } },
      },
    ]);
  });

  it('is handed back when the table stays throttled', async () => {
    const { db, devices } = setup();
    db.on(PutItemCommand).rejects(throttled());
    const one = reading();
    await expect(devices.saveLatest([one], plentyOfTime)).resolves.toMatchObject([{ item: one }]);
  });
});

describe('a new device', () => {
  it('is in the directory before it has a profile', async () => {
    const { db, devices } = setup();
    db.on(BatchWriteItemCommand).resolves({});
    db.on(PutItemCommand).rejects(refused());
    await expect(devices.register([device], plentyOfTime)).resolves.toEqual([]);
    expect(db.calls().map(({ args: [{ input }] }) => input)).toMatchObject([
      {
        RequestItems: {
          devices: [
            {
              PutRequest: {
                Item: {
                  pk: { S: expect.stringMatching(/^fleet#acme#\d\d$/) },
                  sk: { S: 'probe-1' },
                },
              },
            },
          ],
        },
      },
      {
        Item: { pk: { S: 'thing#probe-1' }, sk: { S: 'profile' }, fleet: { S: 'acme' } },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    ]);
  });

  it('gets no profile while the directory refuses it', async () => {
    const { db, devices, puts } = setup();
    db.on(BatchWriteItemCommand).callsFake(async ({ RequestItems }) => ({
      UnprocessedItems: RequestItems,
    }));
    await expect(devices.register([device], plentyOfTime)).resolves.toMatchObject([
      { item: device },
    ]);
    expect(puts()).toEqual([]);
  });
});

describe('the fleets of things', () => {
  it('are read 100 a request, what was left unread again', async () => {
    const { db, devices } = setup();
    const left = { devices: { Keys: [{ pk: { S: 'thing#d0' }, sk: { S: 'profile' } }] } };
    db.on(BatchGetItemCommand)
      .resolvesOnce({ Responses: { devices: [profile('d1', 'acme')] }, UnprocessedKeys: left })
      .resolvesOnce({ Responses: { devices: [profile('d100', 'bolt')] } })
      .resolves({ Responses: { devices: [profile('d0', 'acme')] } });
    const things = Array.from({ length: 101 }, (_, at) => `d${at}`);
    const { known, failures } = await devices.fleetsOf(things, plentyOfTime);
    expect(Object.fromEntries(known)).toEqual({ d0: 'acme', d1: 'acme', d100: 'bolt' });
    expect(failures).toEqual([]);
  });

  it('say which things they could not ask for', async () => {
    const { db, devices } = setup();
    db.on(BatchGetItemCommand).rejects(throttled());
    const { known, failures } = await devices.fleetsOf(['d0'], plentyOfTime);
    expect([known.size, failures]).toEqual([0, [{ item: 'd0', reason: throttled().name }]]);
  });

  it('are remembered for five minutes, the unknown not at all', async () => {
    const { db, devices } = setup();
    db.on(BatchGetItemCommand).resolves({ Responses: { devices: [profile('d0', 'acme')] } });
    let nowMs = 0;
    const directory = fleetDirectory(devices, () => nowMs);
    const asked = () =>
      db
        .commandCalls(BatchGetItemCommand)
        .map(({ args: [{ input }] }) =>
          input.RequestItems?.['devices']?.Keys?.map(({ pk }) => pk?.S),
        );
    await directory.fleetsOf(['d0', 'd1', 'd0'], plentyOfTime);
    nowMs = 299_999;
    expect((await directory.fleetsOf(['d0', 'd1'], plentyOfTime)).known.get('d0')).toBe('acme');
    nowMs = 300_000;
    await directory.fleetsOf(['d0'], plentyOfTime);
    expect(asked()).toEqual([['thing#d0', 'thing#d1'], ['thing#d1'], ['thing#d0']]);
  });
});
