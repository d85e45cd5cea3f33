import { contains, parseAddress, parseBlock } from './address.ts';
import { fault, type Place } from './document.ts';
import {
  compilePattern,
  matches,
  type Part,
  type Pattern,
  type PatternRules,
  type PolicyContext,
  unresolved,
  type Variable,
} from './pattern.ts';

/** One value of a condition, ready to be held against a value of the request. */
export interface ValueTest {
  readonly test: (actual: string, context: PolicyContext) => boolean;
  readonly variables: readonly Variable[];
}

type Compile = (expected: string, rules: PatternRules['variable'], place: Place) => ValueTest;

const plain = (test: (actual: string) => boolean): ValueTest => ({ test, variables: [] });

const text =
  (wildcards: boolean): Compile =>
  (expected, variable, place) => {
    const pattern = compilePattern(expected, { wildcards, variable }, place);
    return {
      test: (actual, context) => matches(pattern.parts, actual, context),
      variables: pattern.variables,
    };
  };

const lowerCase = (parts: readonly Part[]): readonly Part[] =>
  parts.map((part) =>
    part.kind === 'text'
      ? { kind: 'text', text: part.text.toLowerCase() }
      : part.kind === 'variable'
        ? { ...part, fallback: part.fallback?.toLowerCase() }
        : part,
  );

const anyCase: Compile = (expected, variable, place) => {
  const pattern = compilePattern(expected, { wildcards: false, variable }, place);
  const parts = lowerCase(pattern.parts);
  return {
    test: (actual, context) => matches(parts, actual.toLowerCase(), lowerCased(pattern, context)),
    variables: pattern.variables,
  };
};

const lowerCased = (pattern: Pattern, context: PolicyContext): PolicyContext =>
  Object.fromEntries(
    pattern.variables.map(({ name }) => {
      const value = context[name];
      return [name, typeof value === 'string' ? value.toLowerCase() : value];
    }),
  );

const ARN_COMPONENTS = 6;

/** An ARN's components are compared one by one: a `*` in one does not reach into the next. */
const arn: Compile = (expected, variable, place) => {
  const pattern = compilePattern(expected, { wildcards: true, variable }, place);
  const components = splitAtColons(pattern.parts);
  if (components.length !== ARN_COMPONENTS)
    throw fault(
      place,
      `"${expected}" is not an ARN (arn:partition:service:region:account:resource)`,
    );
  return {
    test: (actual, context) => {
      const [a, b, c, d, e, ...rest] = actual.split(':');
      const values = [a, b, c, d, e, rest.join(':')];
      return (
        rest.length > 0 &&
        components.every((parts, index) => matches(parts, values[index] ?? '', context))
      );
    },
    variables: pattern.variables,
  };
};

function splitAtColons(parts: readonly Part[]): readonly (readonly Part[])[] {
  const components: Part[][] = [[]];
  for (const part of parts) {
    if (part.kind !== 'text') {
      components.at(-1)?.push(part);
      continue;
    }
    part.text.split(':').forEach((piece, index, pieces) => {
      const full = components.length === ARN_COMPONENTS;
      if (index > 0 && !full) components.push([]);
      if (index > 0 && full) return;
      const rest = components.length === ARN_COMPONENTS ? pieces.slice(index).join(':') : piece;
      components.at(-1)?.push({ kind: 'text', text: rest });
    });
  }
  return components;
}

const numeric =
  (compare: (actual: number, expected: number) => boolean): Compile =>
  (expected, _, place) => {
    const bound = Number(expected);
    if (expected.trim() === '' || !Number.isFinite(bound))
      throw fault(place, `"${expected}" is not a number`);
    return plain((actual) => actual.trim() !== '' && compare(Number(actual), bound));
  };

const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** ISO 8601, or seconds since the Unix epoch; NaN for anything else. */
const timeMs = (value: string): number =>
  /^\d+$/.test(value) && value.length > 4
    ? Number(value) * 1000
    : ISO.test(value)
      ? Date.parse(value)
      : Number.NaN;

const date =
  (compare: (actual: number, expected: number) => boolean): Compile =>
  (expected, _, place) => {
    const bound = timeMs(expected);
    if (Number.isNaN(bound))
      throw fault(place, `"${expected}" is neither an ISO 8601 date nor epoch seconds`);
    return plain((actual) => compare(timeMs(actual), bound));
  };

const bool: Compile = (expected, _, place) => {
  const wanted = expected.toLowerCase();
  if (wanted !== 'true' && wanted !== 'false')
    throw fault(place, `"${expected}" is neither "true" nor "false"`);
  return plain((actual) => actual.toLowerCase() === wanted);
};

const ipAddress: Compile = (expected, _, place) => {
  const block = parseBlock(expected);
  if (block === undefined)
    throw fault(place, `"${expected}" is neither an IP address nor a CIDR block`);
  return plain((actual) => {
    const address = parseAddress(actual);
    return address !== undefined && contains(block, address);
  });
};

const equal = (actual: number, expected: number): boolean => actual === expected;
const less = (actual: number, expected: number): boolean => actual < expected;
const lessOrEqual = (actual: number, expected: number): boolean => actual <= expected;
const greater = (actual: number, expected: number): boolean => actual > expected;
const greaterOrEqual = (actual: number, expected: number): boolean => actual >= expected;

interface Operator {
  readonly compile: Compile;
  /** True for the `Not` forms: none of the values may fit, and an absent key is fine. */
  readonly negated: boolean;
}

const yes = (compile: Compile): Operator => ({ compile, negated: false });
const no = (compile: Compile): Operator => ({ compile, negated: true });

/** All but `Null`, which asks for the key and not for its value. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', yes(text(false))],
  ['StringNotEquals', no(text(false))],
  ['StringEqualsIgnoreCase', yes(anyCase)],
  ['StringNotEqualsIgnoreCase', no(anyCase)],
  ['StringLike', yes(text(true))],
  ['StringNotLike', no(text(true))],
  ['ArnEquals', yes(arn)],
  ['ArnLike', yes(arn)],
  ['ArnNotEquals', no(arn)],
  ['ArnNotLike', no(arn)],
  ['NumericEquals', yes(numeric(equal))],
  ['NumericNotEquals', no(numeric(equal))],
  ['NumericLessThan', yes(numeric(less))],
  ['NumericLessThanEquals', yes(numeric(lessOrEqual))],
  ['NumericGreaterThan', yes(numeric(greater))],
  ['NumericGreaterThanEquals', yes(numeric(greaterOrEqual))],
  ['DateEquals', yes(date(equal))],
  ['DateNotEquals', no(date(equal))],
  ['DateLessThan', yes(date(less))],
  ['DateLessThanEquals', yes(date(lessOrEqual))],
  ['DateGreaterThan', yes(date(greater))],
  ['DateGreaterThanEquals', yes(date(greaterOrEqual))],
  ['Bool', yes(bool)],
  ['IpAddress', yes(ipAddress)],
  ['NotIpAddress', no(ipAddress)],
]);

export const hasNoValue = (variables: readonly Variable[], context: PolicyContext): boolean =>
  variables.length > 0 && unresolved({ source: '', parts: [], variables }, context).length > 0;
