import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Laptop } from '../local/cloud.ts';
import type { DeviceIdentity } from '../local/fleet/device.ts';

const FLEET = 'demo';
const SIMULATED = ['sensor-1', 'sensor-2', 'sensor-3', 'sensor-4', 'sensor-5', 'sensor-6'];
/** The device whose certificate the printed commands use. */
const OWN = 'my-device';

export interface OwnDevice {
  readonly thing: string;
  readonly fleet: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export const simulatedDevices = (laptop: Laptop): Promise<DeviceIdentity[]> =>
  Promise.all(SIMULATED.map((thing) => laptop.addDevice(thing, FLEET)));

/** A device for the person at the keyboard, its certificate in files that any client can use. */
export async function ownDevice(laptop: Laptop, directory: string): Promise<OwnDevice> {
  const { certificatePem, privateKeyPem } = await laptop.addDevice(OWN, FLEET);
  return {
    thing: OWN,
    fleet: FLEET,
    ...writeDeviceFiles(directory, OWN, certificatePem, privateKeyPem),
  };
}

/** The key is readable by its owner only. */
export function writeDeviceFiles(
  directory: string,
  thing: string,
  certificatePem: string,
  privateKeyPem: string,
) {
  const folder = join(directory, thing);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const certificateFile = join(folder, 'certificate.pem');
  const keyFile = join(folder, 'private.key');
  writeFileSync(certificateFile, certificatePem);
  writeFileSync(keyFile, privateKeyPem, { mode: 0o600 });
  return { certificateFile, keyFile };
}
