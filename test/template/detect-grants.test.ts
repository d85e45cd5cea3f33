import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  HOUR_MS,
  healthy,
  MINUTE_MS,
  openDetectWorld,
  readingAt,
  T0,
} from '../support/detection-world.ts';
import { packageService } from '../support/template.ts';
import { statementsOf } from './statements.ts';

let world: Awaited<ReturnType<typeof openDetectWorld>>;
beforeAll(async () => {
  world = await openDetectWorld();
  await liveThrough();
});
afterAll(() => world.close());

/** All that detect ever asks of its tables: it watches, finds, forgets, looks after, and begins anew. */
async function liveThrough(): Promise<void> {
  const container = world.container();
  for (const reading of healthy(40, T0)) {
    world.clock.nowMs = reading.receivedAtMs;
    await container.take(world.eventOf([reading]));
  }
  await container.take(world.eventOf([readingAt(T0 + 40 * MINUTE_MS, { temperature: 85 })]));
  world.clock.nowMs = T0 + HOUR_MS + 10 * MINUTE_MS;
  await container.sweep();
  await damage();
  await container.take(world.eventOf([readingAt(world.clock.nowMs, { temperature: 20 })]));
}

async function damage(): Promise<void> {
  const noted = [...world.needs];
  const Key = { pk: { S: 'probe-1' }, sk: { S: 'hot' } };
  const { Item } = await world.db.send(new GetItemCommand({ TableName: 'detection', Key }));
  const damaged = { ...Item, d: { B: Uint8Array.of(9) } };
  await world.db.send(new PutItemCommand({ TableName: 'detection', Item: damaged }));
  world.needs.splice(0, world.needs.length, ...noted);
}

const TABLES: Readonly<Record<string, string>> = {
  '<DetectionTable.Arn>': 'detection',
  '<DetectionTable.Arn>/index/pending': 'detection/index/pending',
  '<AnomaliesTable.Arn>': 'anomalies',
  '<DetectionSettingsTable.Arn>': 'detection-settings',
};

it('detect may do with its tables what it does, and nothing else', () => {
  const { template } = packageService();
  const granted = statementsOf(template)
    .filter(({ resourceId, kind }) => resourceId === 'DetectRole' && kind !== 'trust')
    .flatMap(({ actions, resources }) =>
      resources.flatMap((resource) => actions.map((action) => ({ action, resource }))),
    )
    .filter(({ action }) => action.startsWith('dynamodb:'))
    .map(({ action, resource }) => `${action} on ${TABLES[resource] ?? resource}`);
  const used = world.needs
    .filter(({ action }) => action.startsWith('dynamodb:'))
    .map(({ action, resource }) => `${action} on ${resource.split(':table/')[1]}`);
  expect(new Set(granted)).toEqual(new Set(used));
});
