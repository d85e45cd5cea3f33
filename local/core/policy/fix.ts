import type { CompiledCondition } from './condition.ts';
import { CONNECT_ATTRIBUTES, type PolicyRequest } from './evaluate.ts';
import { matches, type Part, type Pattern, type PolicyContext } from './pattern.ts';
import { HINTS } from './variables.ts';

const THING = 'iot:Connection.Thing.';

const one = (context: PolicyContext, key: string): string | undefined => {
  const value = context[key];
  return typeof value === 'string' ? value : undefined;
};

const many = (context: PolicyContext, key: string): readonly string[] | undefined => {
  const value = context[key];
  return typeof value === 'string' ? [value] : value;
};

/** The smallest change that gives a variable a value. */
export function fixVariable(name: string, { context }: PolicyRequest): string {
  const value = one(context, name);
  if (value !== undefined)
    return `${name} is ${JSON.stringify(value)}: a value with * $ + ? # or over 1,024 characters is not put into a policy, so issue a certificate without`;
  if (name.startsWith(THING)) return fixThingVariable(name.slice(THING.length), context);
  if (name.endsWith('.List'))
    return `${name} is a list: use it as a condition key with ForAnyValue`;
  if (name.startsWith('iot:Certificate.'))
    return `issue a certificate that has ${name.slice('iot:Certificate.'.length)}, or use a variable it has`;
  if (name === 'iot:ClientId') return 'connect over MQTT: a request over HTTPS has no client id';
  return `use a variable that this connection has instead of \${${name}}`;
}

const OVER_HTTPS = ['iot:CertificateId', 'iot:Certificate.Subject.CommonName'].map(
  (name) => `\${${name}}`,
);

function fixThingVariable(field: string, context: PolicyContext): string {
  const clientId = one(context, 'iot:ClientId');
  if (clientId === undefined)
    return `thing variables have no value over HTTPS: use ${OVER_HTTPS.join(' or ')}`;
  const detached = fixAttachment(context);
  if (detached !== undefined) return detached;
  const [, attribute] = /^Attributes\[(.*)\]$/.exec(field) ?? [];
  return attribute === undefined
    ? `give the thing \`${clientId}\` a value for ${field}`
    : `give the thing \`${clientId}\` the attribute \`${attribute}\``;
}

/** What keeps the client id from being a thing of this certificate; undefined when it is one. */
function fixAttachment(context: PolicyContext): string | undefined {
  const clientId = one(context, 'iot:ClientId');
  const attached = many(context, HINTS.attachedThings);
  if (attached === undefined)
    return 'thing variables have a value only for a certificate with an attached thing whose name is the client id';
  if (clientId === undefined || attached.includes(clientId)) return undefined;
  const [first] = attached;
  if (first !== undefined)
    return `client id \`${clientId}\` differs from thing \`${attached.join('`, `')}\`: connect as \`${first}\``;
  return one(context, HINTS.thingIsRegistered) === 'true'
    ? `the thing \`${clientId}\` is not attached to the certificate: attach it`
    : `no thing is called \`${clientId}\`: create it and attach it to the certificate`;
}

/** The smallest change that makes a condition hold. */
export function fixCondition(
  { operator, key, expected }: CompiledCondition,
  whose: string,
  { context }: PolicyRequest,
): string {
  if (key === `${THING}IsAttached`) {
    const fix = fixAttachment(context);
    if (fix !== undefined) return fix;
  }
  if (key === CONNECT_ATTRIBUTES) return fixAttributes(expected, whose, context);
  return `have ${key} satisfy ${operator} ${expected.join(' or ')}, or change the condition in ${whose}`;
}

function fixAttributes(expected: readonly string[], whose: string, context: PolicyContext): string {
  const wanted = many(context, CONNECT_ATTRIBUTES) ?? [];
  const missing = wanted.filter((attribute) => !expected.includes(attribute));
  return missing.length > 0
    ? `add ${missing.join(' and ')} to ${CONNECT_ATTRIBUTES} in ${whose}`
    : `use ForAllValues:StringEquals for ${CONNECT_ATTRIBUTES} in ${whose}, and allow connecting without attributes`;
}

/** The smallest change that covers a resource which the nearest pattern misses. */
export function fixResource(nearest: Pattern, request: PolicyRequest): string {
  const { action, resource, context } = request;
  if (action === 'iot:Connect') {
    const attached = many(context, HINTS.attachedThings) ?? [];
    const other = attached.length > 0 ? fixAttachment(context) : undefined;
    if (other !== undefined) return other;
  }
  if (meantAsMqttWildcards(nearest, request))
    return `write * in the policy where ${nearest.source} has + or #, which are plain characters there`;
  return `add Allow ${action} on ${resource}`;
}

function meantAsMqttWildcards(pattern: Pattern, { resource, context }: PolicyRequest): boolean {
  if (!/[+#]/.test(pattern.source)) return false;
  const widened = pattern.parts.flatMap((part): readonly Part[] =>
    part.kind === 'text' ? asWildcards(part.text) : [part],
  );
  return matches(widened, resource, context);
}

const asWildcards = (text: string): readonly Part[] =>
  text
    .split(/([+#])/)
    .map((piece) => (/^[+#]$/.test(piece) ? { kind: 'run' } : { kind: 'text', text: piece }));
