import type { Flavour } from './document.ts';

/** Subject and issuer fields that a policy may name. */
const NAME_FIELDS = [
  'DistinguishedNameQualifier',
  'Country',
  'Organization',
  'OrganizationalUnit',
  'State',
  'CommonName',
  'SerialNumber',
  'Title',
  'Surname',
  'GivenName',
  'Initials',
  'Pseudonym',
  'GenerationQualifier',
] as const;

const ALTERNATIVE_NAMES = [
  'RFC822Name',
  'DNSName',
  'DirectoryName',
  'UniformResourceIdentifier',
  'IPAddress',
] as const;

const names = NAME_FIELDS.join('|');
const alternatives = ALTERNATIVE_NAMES.join('|');
const KNOWN = [
  /^(?:iot:ClientId|iot:DomainName|iot:CertificateId|iot:LastWillTopic|iot:ConnectAttributes)$/,
  /^aws:(?:SourceIp|SourceVpc|SourceVpce|VpcSourceIp|CurrentTime|EpochTime|SecureTransport)$/,
  /^iot:Connection\.Thing\.(?:ThingName|ThingTypeName|IsAttached|Attributes\[[^\]]+\])$/,
  new RegExp(`^iot:Certificate\\.(?:Subject|Issuer)\\.(?:${names})(?:\\.[1-9]\\d*|\\.List)?$`),
  new RegExp(
    `^iot:Certificate\\.(?:Subject|Issuer)\\.AlternativeName\\.(?:${alternatives})(?:\\.[1-9]\\d*|\\.List)?$`,
  ),
  /^iot:Certificate\.(?:SerialNumber|AvailableKeys)$/,
  /^cognito-identity\.amazonaws\.com:(?:sub|aud|amr)$/,
];

/** Whether AWS IoT documents a policy variable or condition key of this name, letter case included. */
const isIotVariable = (name: string): boolean => KNOWN.some((pattern) => pattern.test(name));

/**
 * What holds for a variable of this name. Only values out of a certificate are held back when they
 * look like wildcards: the guide warns that a client id of `#` does go into a policy.
 *
 * @see IoT Core Developer Guide, "Basic …", "Thing …" and "X.509 certificate policy variables"
 */
export const variableRule =
  (flavour: Flavour) =>
  (name: string): { readonly known: boolean; readonly guarded: boolean } => ({
    known: flavour === 'iam' || isIotVariable(name),
    guarded: flavour === 'iot' && name.startsWith('iot:Certificate.'),
  });

/**
 * Keys the registry adds for explanations; no policy can name them, as no variable is called so.
 */
export const HINTS = {
  /** Names of the things attached to the certificate. */
  attachedThings: 'hint:AttachedThings',
  /** `true` where a thing is registered under the name that the client id gives. */
  thingIsRegistered: 'hint:ThingIsRegistered',
} as const;
