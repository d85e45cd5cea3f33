import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Laptop } from '../local/cloud.ts';
import type { Log } from '../local/core/log.ts';
import { FAULTS } from '../local/fleet/faults.ts';
import type { FaultRequest, FleetOptions } from '../local/fleet/fleet.ts';
import { startLorawanFleet } from '../local/fleet/lorawan-fleet.ts';
import { openCodecDesk } from './codec-desk.ts';
import type { FaultyDevice } from './fault-option.ts';
import { assignDevice } from './lorawan-assign.ts';
import { openLorawanDesk, stationOf } from './lorawan-desk.ts';
import { lorawanDirectory } from './lorawan-words.ts';
import { OPERATOR } from './target.ts';

const GATEWAY = 'demo-gateway';
const SIMULATED = ['radio-1', 'radio-2'];
const INTERVAL_MS = 5000;
/** What Cayenne makes of the metrics that the devices send. */
export const CHANNELS = { temperature: 'temperature.1', humidity: 'humidity.2' } as const;
/** They have no clock and one way to be heard; they are known after three minutes, having nothing to send first. */
export const FAULTY_RADIOS: readonly FaultyDevice[] = SIMULATED.map((thing) => ({
  thing,
  metrics: Object.keys(CHANNELS),
  faults: FAULTS.filter((fault) => fault !== 'clock-jump' && fault !== 'clone'),
  intervalMs: INTERVAL_MS,
  afterMs: 180_000,
}));
/** What simulated devices send, and the fleet that they are of. */
export const DEMO = { codec: 'cayenne-lpp', fleet: 'demo' } as const;

/** Simulated LoRaWAN devices behind a simulated gateway; none where the template has no destination for them. */
export async function startRadio(
  { lorawan, awsEndpoint, region, devicesDirectory }: Laptop,
  stage: string,
  log: Log,
  faults: readonly FaultRequest[],
  onFault: NonNullable<FleetOptions['onFault']>,
): Promise<{ stop: () => Promise<void> } | undefined> {
  if (lorawan === undefined) return undefined;
  const client = { endpoint: awsEndpoint, region, credentials: OPERATOR };
  const desk = openLorawanDesk({ client, stage }, lorawanDirectory(devicesDirectory));
  const { gateway } = await desk.addGateway(GATEWAY, 'EU868');
  const codecs = openCodecDesk(new DynamoDBClient(client), stage, Date.now);
  const devices = await Promise.all(
    SIMULATED.map(async (name) => {
      const device = await desk.addDevice(name);
      await assignDevice(codecs, device.identity.devEui, { ...DEMO, thing: name });
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
    faultsOf: (index) => faults.filter(({ thing }) => thing === SIMULATED[index]),
    onFault,
  });
}
