import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceIdentity } from '../fleet/device.ts';
import {
  type Credential,
  type DevelopmentPki,
  isSignedBy,
  parseCertificate,
} from '../pki/index.ts';
import type { Registry } from '../stores/registry.ts';

export interface DeviceDesk {
  readonly registry: Registry;
  readonly pki: DevelopmentPki;
  /** The IoT policies that a device's certificate gets. */
  readonly policyNames: readonly string[];
  /** A folder for each device, with `certificate.pem` and `private.key`. */
  readonly directory: string;
  readonly now: () => number;
}

/** A certificate that ends sooner than this is replaced. */
const RENEW_MS = 7 * 86_400_000;

/**
 * Registers a device as an operator would: a certificate of the development authority with CN = thing and O = fleet,
 * the thing with its fleet as an attribute, both attached, and the policies on the certificate. A certificate made
 * on an earlier run is used again.
 */
export async function registerDevice(
  desk: DeviceDesk,
  thing: string,
  fleet: string,
): Promise<DeviceIdentity> {
  const { registry, pki, policyNames } = desk;
  const credential =
    (await storedCredential(desk, thing, fleet)) ?? (await newCredential(desk, thing, fleet));
  const reading = parseCertificate(credential.certificatePem);
  const principal = registry.arn.certificate(reading.certificateId);
  if (registry.thing(thing) === undefined)
    registry.createThing({ thingName: thing, attributes: { fleet } });
  if (registry.certificate(reading.certificateId) === undefined) {
    registry.addCertificate({ reading, status: 'ACTIVE' });
    registry.attachThingPrincipal(thing, principal);
    for (const policyName of policyNames) registry.attachPolicy(policyName, principal);
  }
  return { thing, fleet, ...credential, caPem: pki.caPem };
}

/** Where a device's files are; the key is readable by its owner only. */
export const deviceFiles = (directory: string, thing: string) => ({
  certificateFile: join(directory, thing, 'certificate.pem'),
  keyFile: join(directory, thing, 'private.key'),
});

export function writeDeviceFiles(
  directory: string,
  thing: string,
  { certificatePem, privateKeyPem }: Credential,
) {
  const files = deviceFiles(directory, thing);
  mkdirSync(join(directory, thing), { recursive: true, mode: 0o700 });
  writeFileSync(files.certificateFile, certificatePem);
  writeFileSync(files.keyFile, privateKeyPem, { mode: 0o600 });
  return files;
}

/** Moves a device's files aside, where it has some: the certificate before this one, in a rotation. */
export function keepPrevious(directory: string, thing: string) {
  const { certificateFile, keyFile } = deviceFiles(directory, thing);
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return undefined;
  const previous = {
    certificateFile: join(directory, thing, 'previous-certificate.pem'),
    keyFile: join(directory, thing, 'previous-private.key'),
  };
  renameSync(keyFile, previous.keyFile);
  renameSync(certificateFile, previous.certificateFile);
  return previous;
}

async function newCredential(
  { pki, directory }: DeviceDesk,
  thing: string,
  fleet: string,
): Promise<Credential> {
  const { certificatePem, privateKeyPem } = await pki.issueDevice({ thing, fleet });
  writeDeviceFiles(directory, thing, { certificatePem, privateKeyPem });
  return { certificatePem, privateKeyPem };
}

/** What an earlier run left, if it is still of use: the fleet's, of the authority that is there now, and not about to end. */
async function storedCredential(
  { pki, directory, now }: DeviceDesk,
  thing: string,
  fleet: string,
): Promise<Credential | undefined> {
  const { certificateFile, keyFile } = deviceFiles(directory, thing);
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return undefined;
  const certificatePem = readFileSync(certificateFile, 'utf8');
  const { subject, notAfterMs } = parseCertificate(certificatePem);
  const fits =
    subject['Organization']?.[0] === fleet &&
    notAfterMs > now() + RENEW_MS &&
    (await isSignedBy(certificatePem, pki.deviceCaPem));
  return fits ? { certificatePem, privateKeyPem: readFileSync(keyFile, 'utf8') } : undefined;
}
