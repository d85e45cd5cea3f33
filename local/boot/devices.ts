import type { DeviceIdentity } from '../fleet/device.ts';
import type { DevelopmentPki } from '../pki/index.ts';
import { parseCertificate } from '../pki/index.ts';
import type { Registry } from '../stores/registry.ts';

/**
 * Registers a device as an operator would: a certificate of the development authority with CN = thing and O = fleet,
 * the thing with its fleet as an attribute, both attached, and the policy on the certificate.
 *
 * @param policyNames  the IoT policies its certificate gets
 */
export async function registerDevice(
  {
    registry,
    pki,
    policyNames,
  }: { registry: Registry; pki: DevelopmentPki; policyNames: readonly string[] },
  thing: string,
  fleet: string,
): Promise<DeviceIdentity> {
  const { certificatePem, privateKeyPem } = await pki.issueDevice({ thing, fleet });
  if (registry.thing(thing) === undefined) {
    registry.createThing({ thingName: thing, attributes: { fleet } });
  }
  const reading = parseCertificate(certificatePem);
  registry.addCertificate({ reading, status: 'ACTIVE' });
  const principal = registry.arn.certificate(reading.certificateId);
  registry.attachThingPrincipal(thing, principal);
  for (const policyName of policyNames) registry.attachPolicy(policyName, principal);
  return { thing, fleet, certificatePem, privateKeyPem, caPem: pki.caPem };
}
