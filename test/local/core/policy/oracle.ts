/**
 * A second reading of the policy rules, slow and plain: patterns become regular expressions after the
 * variables' values are quoted into them, and a decision is two set questions. Shares no code with the engine.
 */
export interface OracleStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export type OracleContext = Readonly<Record<string, string | readonly string[]>>;

export interface OracleRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: OracleContext;
}

const NOTHING = '(?!)';

const quote = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

function valueFor(name: string, context: OracleContext): string | undefined {
  const value = context[name];
  if (typeof value !== 'string') return undefined;
  if (!name.startsWith('iot:Certificate.')) return value;
  return value.length <= 1024 && !/[*$+?#]/.test(value) ? value : undefined;
}

/** Undefined where a variable has no value. */
function expression(
  pattern: string,
  context: OracleContext,
  wildcards: boolean,
): RegExp | undefined {
  const body = pattern.replace(/\$\{([^}]*)\}|[^$]|\$/gsu, (piece, name: string | undefined) => {
    if (name === undefined) {
      if (wildcards && piece === '*') return '.*';
      if (wildcards && piece === '?') return '.';
      return quote(piece);
    }
    if (['*', '?', '$'].includes(name)) return quote(name);
    const value = valueFor(name, context);
    return value === undefined ? NOTHING : quote(value);
  });
  return body.includes(NOTHING) ? undefined : new RegExp(`^${body}$`, 'su');
}

const fits = (pattern: string, text: string, context: OracleContext): boolean =>
  expression(pattern, context, true)?.test(text) ?? false;

function isAbout({ Action, NotAction }: OracleStatement, action: string): boolean {
  const named = (patterns: readonly string[]) =>
    patterns.some((pattern) => fits(pattern.toLowerCase(), action.toLowerCase(), {}));
  return Action ? named(Action) : !named(NotAction ?? []);
}

function reaches(
  { Resource, NotResource, Effect }: OracleStatement,
  { resource, context }: OracleRequest,
): boolean {
  if (Resource) return Resource.some((pattern) => fits(pattern, resource, context));
  const except = NotResource ?? [];
  const open = except.some((pattern) => expression(pattern, context, true) === undefined);
  if (open && Effect === 'Allow') return false;
  return !except.some((pattern) => fits(pattern, resource, context));
}

/** The operators that the random policies use. */
function holds(
  operator: string,
  key: string,
  expected: readonly string[],
  effect: string,
  context: OracleContext,
): boolean {
  const value = context[key];
  const actual = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  const same = (a: string, wildcards: boolean) =>
    expected.some((e) => expression(e, context, wildcards)?.test(a) ?? false);
  const open = expected.some((e) => expression(e, context, true) === undefined);
  switch (operator) {
    case 'StringEquals':
      return actual.some((a) => same(a, false));
    case 'StringLike':
      return actual.some((a) => same(a, true));
    case 'StringNotEquals':
      return !(effect === 'Allow' && open) && !actual.some((a) => same(a, false));
    case 'StringLikeIfExists':
      return actual.length === 0 || actual.some((a) => same(a, true));
    case 'ForAllValues:StringEquals':
      return !actual.some((a) => !same(a, false));
    case 'ForAnyValue:StringLike':
      return actual.filter((a) => same(a, true)).length > 0;
    case 'Bool':
      return actual.some((a) => expected.includes(a));
    case 'Null':
      return expected.includes(actual.length === 0 ? 'true' : 'false');
    default:
      throw new Error(`the oracle has no ${operator}`);
  }
}

const meets = ({ Condition, Effect }: OracleStatement, context: OracleContext): boolean =>
  Object.entries(Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, expected]) =>
      holds(operator, key, expected, Effect, context),
    ),
  );

function permitsAttributes({ Condition }: OracleStatement, { action, context }: OracleRequest) {
  if (action !== 'iot:Connect' || (context['iot:ConnectAttributes'] ?? []).length === 0)
    return true;
  return Object.values(Condition ?? {}).some((keys) => 'iot:ConnectAttributes' in keys);
}

/** What the policies say, by brute force. */
export function oracleAllows(
  statements: readonly OracleStatement[],
  request: OracleRequest,
): boolean {
  const hit = statements.filter(
    (statement) =>
      isAbout(statement, request.action) &&
      reaches(statement, request) &&
      meets(statement, request.context),
  );
  const forbids = hit.some(({ Effect }) => Effect === 'Deny');
  const permits = hit.some((s) => s.Effect === 'Allow' && permitsAttributes(s, request));
  return permits && !forbids;
}
