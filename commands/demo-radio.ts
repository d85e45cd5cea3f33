import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Laptop } from '../local/cloud.ts';
import type { Log } from '../local/core/log.ts';
import { startLorawanFleet } from '../local/fleet/lorawan-fleet.ts';
import { deviceKey } from '../shared/adapters/codec-table.ts';
import { DeviceEntry } from '../shared/core/lorawan/assignment.ts';
import { lorawanDirectory } from './lorawan.ts';
import { openLorawanDesk, stationOf } from './lorawan-desk.ts';
import { OPERATOR } from './target.ts';

const GATEWAY = 'demo-gateway';
const SIMULATED = ['radio-1', 'radio-2'];
const INTERVAL_MS = 5000;
const FLEET = 'demo';
const FORMAT = 'cayenne-lpp';

/** Simulated LoRaWAN devices behind a simulated gateway; none where the template has no destination for them. */
export async function startRadio(
  { lorawan, awsEndpoint, region, devicesDirectory }: Laptop,
  stage: string,
  log: Log,
): Promise<{ stop: () => Promise<void> } | undefined> {
  if (lorawan === undefined) return undefined;
  const client = { endpoint: awsEndpoint, region, credentials: OPERATOR };
  const desk = openLorawanDesk({ client, stage }, lorawanDirectory(devicesDirectory));
  const { gateway } = await desk.addGateway(GATEWAY, 'EU868');
  const db = new DynamoDBClient(client);
  const devices = await Promise.all(
    SIMULATED.map(async (name) => {
      const device = await desk.addDevice(name);
      await assignDemo(db, stage, device.identity.devEui, name);
      return device;
    }),
  );
  const endpoint = await desk.endpoint();
  return await startLorawanFleet({
    devices: devices.map(({ identity }) => identity),
    gateway: stationOf(gateway, endpoint),
    url: endpoint.url,
    intervalMs: INTERVAL_MS,
    now: Date.now,
    random: Math.random,
    log,
  });
}

/** Gives a simulated device its name and fleet, and the format that it sends. */
export async function assignDemo(
  db: DynamoDBClient,
  stage: string,
  devEui: string,
  thing: string,
): Promise<void> {
  const entry = DeviceEntry.parse({
    thing,
    assignment: { fleet: FLEET, codecs: [{ codec: FORMAT }] },
  });
  const { pk, sk } = deviceKey(devEui);
  await db.send(
    new PutItemCommand({
      TableName: `tributary-${stage}-codecs`,
      Item: { pk: { S: pk }, sk: { S: sk }, body: { S: JSON.stringify(entry) } },
    }),
  );
}
