import { HINTS, type PolicyContext } from '../../core/policy/index.ts';
import type { CertificateFacts, NameFields } from '../../pki/index.ts';
import type { RegistryView } from './registry-view.ts';

const MOST_VALUES = 5;

type Entries = (readonly [string, string | readonly string[]])[];

/** Plain is the first value, `.1` the second and so on, `.List` all of them; five are taken at most. */
function variable(name: string, values: readonly string[]): Entries {
  const taken = values.slice(0, MOST_VALUES);
  const [first] = taken;
  if (first === undefined) return [];
  const others = taken.slice(1).map((value, index) => [`${name}.${index + 1}`, value] as const);
  return [[name, first], [`${name}.List`, taken], ...others];
}

const nameVariables = (prefix: string, fields: NameFields): Entries =>
  Object.entries(fields).flatMap(([field, values]) => variable(`${prefix}.${field}`, values));

/**
 * Policy variables of a certificate.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/cert-policy-variables.html
 */
export const certificateVariables = (facts: CertificateFacts): PolicyContext => ({
  'iot:CertificateId': facts.certificateId,
  'iot:Certificate.SerialNumber': facts.serialNumber,
  ...Object.fromEntries([
    ...nameVariables('iot:Certificate.Subject', facts.subject),
    ...nameVariables('iot:Certificate.Issuer', facts.issuer),
    ...nameVariables('iot:Certificate.Subject.AlternativeName', facts.subjectAlternativeNames),
    ...nameVariables('iot:Certificate.Issuer.AlternativeName', facts.issuerAlternativeNames),
  ]),
});

/**
 * Policy variables of the thing behind an MQTT connection: the one whose name is the client id, and
 * only where the certificate is attached to it. HTTPS has no client id and so none of them.
 *
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/thing-policy-variables.html
 */
export function thingVariables(
  clientId: string,
  certificateId: string,
  registry: RegistryView,
): PolicyContext {
  const thing = registry.thing(clientId);
  const attachedThings = registry.thingsOf(certificateId);
  const hints = {
    [HINTS.attachedThings]: attachedThings,
    [HINTS.thingIsRegistered]: String(thing !== undefined),
  };
  if (thing === undefined || !attachedThings.includes(clientId)) {
    return { ...hints, 'iot:Connection.Thing.IsAttached': 'false' };
  }
  const attributes = Object.entries(thing.attributes).map(
    ([name, value]) => [`iot:Connection.Thing.Attributes[${name}]`, value] as const,
  );
  return {
    ...hints,
    'iot:Connection.Thing.IsAttached': 'true',
    'iot:Connection.Thing.ThingName': clientId,
    'iot:Connection.Thing.ThingTypeName': thing.thingTypeName,
    ...Object.fromEntries(attributes),
  };
}
