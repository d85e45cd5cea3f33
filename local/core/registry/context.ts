import { HINTS, type PolicyContext } from '../policy/index.ts';
import type { Thing } from './model.ts';

type NameFields = Readonly<Record<string, readonly string[]>>;

/** The parts of a certificate that policies can ask for. */
export interface CertificateNames {
  readonly certificateId: string;
  /** A decimal integer. */
  readonly serialNumber: string;
  readonly subject: NameFields;
  readonly issuer: NameFields;
  readonly subjectAlternativeNames: NameFields;
  readonly issuerAlternativeNames: NameFields;
}

const MOST_VALUES = 5;

/** In values out of a certificate these stand behind a backslash. */
const SPECIAL = /[,"\\+=<>;]/g;

/** `X` is the first value, `X.1` the second and so on, `X.List` all; the sixth and later are left out. */
function valuesOf(prefix: string, fields: NameFields): [string, string | readonly string[]][] {
  return Object.entries(fields).flatMap(([field, all]) => {
    const values = all.slice(0, MOST_VALUES).map((value) => value.replace(SPECIAL, '\\$&'));
    const [first, ...others] = values;
    if (first === undefined) return [];
    const name = `${prefix}.${field}`;
    const numbered = others.map((value, index): [string, string] => [
      `${name}.${index + 1}`,
      value,
    ]);
    return [[name, first], ...numbered, [`${name}.List`, values]];
  });
}

/**
 * The policy variables that a certificate gives.
 *
 * @see IoT Core Developer Guide, "X.509 certificate policy variables"
 */
export const certificateVariables = (certificate: CertificateNames): PolicyContext => ({
  'iot:CertificateId': certificate.certificateId,
  'iot:Certificate.SerialNumber': certificate.serialNumber,
  ...Object.fromEntries([
    ...valuesOf('iot:Certificate.Subject', certificate.subject),
    ...valuesOf('iot:Certificate.Issuer', certificate.issuer),
    ...valuesOf('iot:Certificate.Subject.AlternativeName', certificate.subjectAlternativeNames),
    ...valuesOf('iot:Certificate.Issuer.AlternativeName', certificate.issuerAlternativeNames),
  ]),
});

/**
 * The policy variables of a thing: only for a client whose id is the thing's name, with the thing
 * attached to its principal. HTTPS knows no client id and therefore no thing.
 *
 * @param attached  names of the things attached to the principal
 * @see IoT Core Developer Guide, "Thing policy variables"
 */
export function thingVariables(
  clientId: string | undefined,
  thing: Thing | undefined,
  attached: readonly string[],
): PolicyContext {
  const hints = { [HINTS.attachedThings]: attached };
  if (clientId === undefined) return hints;
  const isAttached = thing !== undefined && attached.includes(thing.thingName);
  return {
    ...hints,
    [HINTS.thingIsRegistered]: String(thing !== undefined),
    'iot:ClientId': clientId,
    'iot:Connection.Thing.IsAttached': String(isAttached),
    ...(isAttached && variablesOf(thing)),
  };
}

const variablesOf = ({ thingName, thingTypeName, attributes }: Thing): PolicyContext => ({
  'iot:Connection.Thing.ThingName': thingName,
  ...(thingTypeName !== undefined && { 'iot:Connection.Thing.ThingTypeName': thingTypeName }),
  ...Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      `iot:Connection.Thing.Attributes[${name}]`,
      value,
    ]),
  ),
});
