import { deviceFiles } from '../local/boot/devices.ts';
import type { Laptop } from '../local/cloud.ts';
import type { DeviceIdentity } from '../local/fleet/device.ts';
import { FAULTS } from '../local/fleet/faults.ts';
import { CLIMATE } from '../local/fleet/simulated-device.ts';
import type { FaultyDevice } from './fault-option.ts';

export const DEMO_FLEET = 'demo';
/** Simulated devices that speak MQTT and HTTPS. */
const SIMULATED = ['sensor-1', 'sensor-2', 'sensor-3', 'sensor-4', 'sensor-5', 'sensor-6'];
export const SENSOR_INTERVAL_MS = 2000;
/** With the readings that they have buffered, they are known when they are switched on. */
export const FAULTY_SENSORS: readonly FaultyDevice[] = SIMULATED.map((thing) => ({
  thing,
  metrics: Object.keys(CLIMATE),
  faults: FAULTS,
  intervalMs: SENSOR_INTERVAL_MS,
  afterMs: 10_000,
}));
/** The device whose certificate the printed commands use. */
const OWN = 'my-device';

export interface OwnDevice {
  readonly thing: string;
  readonly fleet: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export const simulatedDevices = (laptop: Laptop): Promise<DeviceIdentity[]> =>
  Promise.all(SIMULATED.map((thing) => laptop.addDevice(thing, DEMO_FLEET)));

/** A device for the person at the keyboard, its certificate in files that any client can use. */
export async function ownDevice(laptop: Laptop): Promise<OwnDevice> {
  const { thing, fleet } = await laptop.addDevice(OWN, DEMO_FLEET);
  return { thing, fleet, ...deviceFiles(laptop.devicesDirectory, thing) };
}
