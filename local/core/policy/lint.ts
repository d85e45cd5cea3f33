import { type CompiledStatement, compilePolicies } from './compile.ts';
import type { PolicySource } from './document.ts';
import { countedLength, POLICY_LIMITS } from './limits.ts';
import { matches, type Pattern, type PolicyContext, render, type Variable } from './pattern.ts';

/** The first two are checks of AWS IoT Device Defender Audit, under its names; the rest are this linter's. */
export type LintCheck =
  | 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK'
  | 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK'
  | 'POLICY_SIZE_LIMIT'
  | 'POLICIES_PER_PRINCIPAL_LIMIT'
  | 'UNKNOWN_POLICY_VARIABLE';

/** Audit's reason codes, where it has them. */
export type LintReason =
  | 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS'
  | 'POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT'
  | 'TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS';

export interface LintFinding {
  readonly check: LintCheck;
  readonly reason?: LintReason;
  readonly policy: string;
  /** `Sid` or place of the statement at fault. */
  readonly statement?: string | number;
  readonly resource?: string;
  readonly message: string;
}

/** Actions whose resources must belong to one device. Receive is not among them: it follows Subscribe. */
const DATA_PLANE = [
  { action: 'iot:connect', type: 'client' },
  { action: 'iot:publish', type: 'topic' },
  { action: 'iot:retainpublish', type: 'topic' },
  { action: 'iot:subscribe', type: 'topicfilter' },
  { action: 'iot:getthingshadow', type: 'thing' },
  { action: 'iot:updatethingshadow', type: 'thing' },
  { action: 'iot:deletethingshadow', type: 'thing' },
  { action: 'iot:describejobexecution', type: 'thing' },
  { action: 'iot:getpendingjobexecutions', type: 'thing' },
  { action: 'iot:startnextpendingjobexecution', type: 'thing' },
  { action: 'iot:updatejobexecution', type: 'thing' },
] as const;

/** Variables that differ from device to device; an organization or a thing's attribute may be shared. */
const OF_ONE_DEVICE =
  /^(?:iot:ClientId|iot:CertificateId|iot:Connection\.Thing\.ThingName|iot:Certificate\.SerialNumber|iot:Certificate\.Subject\.(?:CommonName|SerialNumber|DistinguishedNameQualifier|AlternativeName\.\w+)(?:\.\d+)?|cognito-identity\.amazonaws\.com:sub)$/;

const CLIENT_ID = `\${iot:ClientId}`;
const IS_ATTACHED = 'iot:Connection.Thing.IsAttached';

/**
 * What AWS's own audit would find in a device's policy, and what its quotas would refuse.
 *
 * @throws {PolicyError} where the document is no policy at all
 * @see Device Defender Developer Guide, "AWS IoT policies overly permissive", "AWS IoT policy potentially misconfigured"
 */
export function lintPolicy(source: PolicySource): readonly LintFinding[] {
  const { statements } = compilePolicies([source], 'iot');
  return [
    ...tooLong(source),
    ...statements.flatMap(unknownVariables),
    ...statements.filter(({ effect }) => effect === 'Allow').flatMap(overlyPermissive),
    ...mqttWildcardsInDeny(statements),
    ...wildcardsAroundDeny(statements),
  ];
}

/** The findings of all policies that one certificate or identity carries, their number included. */
export function lintPrincipal(sources: readonly PolicySource[]): readonly LintFinding[] {
  const findings = sources.flatMap(lintPolicy);
  const extra = sources[POLICY_LIMITS.perPrincipal];
  if (extra === undefined) return findings;
  const message = `${sources.length} policies on one principal; the quota is ${POLICY_LIMITS.perPrincipal}`;
  return [...findings, { check: 'POLICIES_PER_PRINCIPAL_LIMIT', policy: extra.name, message }];
}

function tooLong({ name, document }: PolicySource): readonly LintFinding[] {
  const length = countedLength(Object(document));
  if (length <= POLICY_LIMITS.size) return [];
  const message = `${length} characters without white space; the quota is ${POLICY_LIMITS.size}`;
  return [{ check: 'POLICY_SIZE_LIMIT', policy: name, message }];
}

function unknownVariables(statement: CompiledStatement): readonly LintFinding[] {
  const variables: readonly Variable[] = [
    ...statement.resources.flatMap((each) => each.variables),
    ...statement.conditions.flatMap((each) => each.variables),
  ];
  return variables
    .filter(({ known }) => !known)
    .map(({ name }) => ({
      check: 'UNKNOWN_POLICY_VARIABLE',
      policy: statement.policy,
      statement: statement.id,
      message: `AWS IoT documents no policy variable \${${name}}, so the statement never matches by it`,
    }));
}

const speaksOf = ({ actions, exceptActions }: CompiledStatement, action: string): boolean =>
  actions.some(({ parts }) => matches(parts, action, {})) !== exceptActions;

function overlyPermissive(statement: CompiledStatement): readonly LintFinding[] {
  const covered = DATA_PLANE.filter(({ action }) => speaksOf(statement, action));
  if (covered.length === 0) return [];
  const finding = (resource: string, message: string): LintFinding => ({
    check: 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK',
    reason: 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS',
    policy: statement.policy,
    statement: statement.id,
    resource,
    message,
  });
  if (statement.exceptResources)
    return [finding('NotResource', 'allows everything but the named resources')];
  return statement.resources.flatMap((resource) => {
    const broad = covered.map(({ type }) => broadness(resource, type, statement));
    const message = broad.find((each) => each !== undefined);
    return message === undefined ? [] : [finding(resource.source, message)];
  });
}

/** Why a resource reaches beyond one device; undefined where it does not, or is of another type. */
function broadness(
  resource: Pattern,
  type: (typeof DATA_PLANE)[number]['type'],
  { conditions }: CompiledStatement,
): string | undefined {
  const [, name] = new RegExp(`^arn:[^/]*:${type}/(.*)$`).exec(resource.source) ?? [];
  if (name === undefined)
    return /^(?:\*|arn:[^/]*\*)$/.test(resource.source) ? 'allows every resource' : undefined;
  const attached = conditions.some(
    ({ key, operator, expected }) =>
      key === IS_ATTACHED && operator === 'Bool' && expected.every((value) => value === 'true'),
  );
  if (type === 'client' && name === CLIENT_ID && !attached)
    return `lets any client id connect; ask for Bool ${IS_ATTACHED} "true", or name the thing`;
  const wild = wildcardBeforeDevice(resource, type === 'topicfilter' ? /[+#]/ : undefined);
  return wild ? `has a wildcard before any variable of one device: ${name}` : undefined;
}

/** What comes after the name of the device cannot leave the device; what comes before can. */
function wildcardBeforeDevice(resource: Pattern, mqtt: RegExp | undefined): boolean {
  for (const part of resource.parts) {
    if (part.kind === 'variable' && OF_ONE_DEVICE.test(part.name)) return false;
    if (part.kind === 'run' || part.kind === 'one') return true;
    if (part.kind === 'text' && mqtt?.test(part.text)) return true;
  }
  return false;
}

const misconfigured = (
  reason: LintReason,
  statement: CompiledStatement,
  resource: string,
  message: string,
): LintFinding => ({
  check: 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK',
  reason,
  policy: statement.policy,
  statement: statement.id,
  resource,
  message,
});

function mqttWildcardsInDeny(statements: readonly CompiledStatement[]): readonly LintFinding[] {
  return statements
    .filter(({ effect }) => effect === 'Deny')
    .flatMap((statement) =>
      statement.resources
        .filter(({ parts }) => parts.some((part) => part.kind === 'text' && /[+#]/.test(part.text)))
        .map(({ source }) =>
          misconfigured(
            'POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT',
            statement,
            source,
            '+ and # are plain characters in a policy; use * to deny what lies below',
          ),
        ),
    );
}

/** A Deny of filters that a wider filter gets around, with nothing that stops the messages themselves. */
function wildcardsAroundDeny(statements: readonly CompiledStatement[]): readonly LintFinding[] {
  const about = (effect: 'Allow' | 'Deny', action: string) =>
    statements.filter((each) => each.effect === effect && speaksOf(each, action));
  const covers = (some: readonly CompiledStatement[], resource: string) =>
    some.some(({ resources, exceptResources }) => {
      const named = resources.some(({ parts }) => matches(parts, resource, placeholders(some)));
      return named !== exceptResources;
    });
  const denies = about('Deny', 'iot:subscribe');
  return denies.flatMap((statement) =>
    statement.resources
      .map((pattern) => ({ pattern, text: render(pattern, placeholders([statement])) }))
      .filter(({ text }) => {
        const topic = text.replace(':topicfilter/', ':topic/');
        if (covers(about('Deny', 'iot:receive'), topic)) return false;
        if (!covers(about('Allow', 'iot:receive'), topic)) return false;
        return widerFilters(text).some(
          (wider) => covers(about('Allow', 'iot:subscribe'), wider) && !covers(denies, wider),
        );
      })
      .map(({ pattern }) =>
        misconfigured(
          'TOPIC_FILTERS_INTENDED_TO_DENY_ALLOWED_USING_WILDCARDS',
          statement,
          pattern.source,
          'a wider filter is allowed and brings these messages all the same; deny iot:Receive on them too',
        ),
      ),
  );
}

/** Each variable stands for itself, so that patterns can be held against each other. */
const placeholders = (statements: readonly CompiledStatement[]): PolicyContext =>
  Object.fromEntries(
    statements
      .flatMap(({ resources }) => resources.flatMap(({ variables }) => variables))
      .map(({ name }) => [name, `<${name}>`]),
  );

/** Filters that take in what `topicfilter/a/b/*` names: `#`, `a/#`, `a/+/#`, … */
function widerFilters(resource: string): readonly string[] {
  const [, arn = '', filter = ''] = /^(.*:topicfilter\/)(.*)$/.exec(resource) ?? [];
  const levels = filter.split('/');
  return levels.flatMap((_, index) => {
    const kept = levels.slice(0, index);
    const plus = [...kept, '+', ...levels.slice(index + 1)].join('/').replaceAll('*', '#');
    return [`${arn}${[...kept, '#'].join('/')}`, `${arn}${plus}`];
  });
}
