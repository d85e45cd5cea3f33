import { type Flavour, fault, list, type Place, type PolicyCondition, within } from './document.ts';
import { hasNoValue, OPERATORS, type ValueTest } from './operators.ts';
import type { PatternRules, PolicyContext, Variable } from './pattern.ts';

/** One operator over one key; all of a statement's must hold. */
export interface CompiledCondition {
  /** As written, with qualifier and suffix. */
  readonly operator: string;
  readonly key: string;
  readonly expected: readonly string[];
  readonly variables: readonly Variable[];
  readonly holds: (context: PolicyContext) => boolean;
}

interface Rules {
  readonly flavour: Flavour;
  readonly effect: 'Allow' | 'Deny';
  readonly variable: PatternRules['variable'];
}

/**
 * The values of a condition key in a request. IAM's keys are compared without letter case;
 * AWS IoT documents its own with one spelling, which is the one taken.
 */
function valuesOf(
  context: PolicyContext,
  key: string,
  flavour: Flavour,
): readonly string[] | undefined {
  let value = context[key];
  if (value === undefined && flavour === 'iam') {
    const wanted = key.toLowerCase();
    const name = Object.keys(context).find((each) => each.toLowerCase() === wanted);
    value = name === undefined ? undefined : context[name];
  }
  return value === undefined ? undefined : list(value);
}

type Quantifier = 'ForAllValues' | 'ForAnyValue' | undefined;

const QUALIFIED = /^(?:(ForAllValues|ForAnyValue):)?(.+?)(IfExists)?$/;

/**
 * @throws {PolicyError} for an operator that IAM does not have, or a value that its operator cannot read
 * @see IAM User Guide, "IAM JSON policy elements: Condition operators", "Multivalued context keys"
 */
export function compileConditions(
  block: PolicyCondition | undefined,
  rules: Rules,
  place: Place,
): readonly CompiledCondition[] {
  return Object.entries(block ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) =>
      compileOne(
        operator,
        key,
        list(values).map(String),
        rules,
        within(within(place, operator), key),
      ),
    ),
  );
}

function compileOne(
  operator: string,
  key: string,
  expected: readonly string[],
  rules: Rules,
  place: Place,
): CompiledCondition {
  if (operator === 'Null') return compileNull(key, expected, rules, place);
  const [, quantifier, name = '', ifExists] = QUALIFIED.exec(operator) ?? [];
  const found = OPERATORS.get(name);
  if (found === undefined) throw fault(place, `no condition operator is called "${operator}"`);
  const tests = expected.map((value) => found.compile(value, rules.variable, place));
  const variables = tests.flatMap((test) => test.variables);
  // an Allow may not profit from a "not equal" whose other side has no value
  const closes = found.negated && rules.effect === 'Allow';
  const absent = ifExists !== undefined || (found.negated && quantifier === undefined);
  return {
    operator,
    key,
    expected,
    variables,
    holds: (context) => {
      if (closes && hasNoValue(variables, context)) return false;
      const actual = valuesOf(context, key, rules.flavour);
      if (actual === undefined || actual.length === 0)
        return absent || quantifier === 'ForAllValues';
      return quantify(quantifier as Quantifier, found.negated, actual, tests, context);
    },
  };
}

function quantify(
  quantifier: Quantifier,
  negated: boolean,
  actual: readonly string[],
  tests: readonly ValueTest[],
  context: PolicyContext,
): boolean {
  const fits = (value: string) => tests.some(({ test }) => test(value, context)) !== negated;
  const every = quantifier === 'ForAllValues' || (quantifier === undefined && negated);
  return every ? actual.every(fits) : actual.some(fits);
}

function compileNull(
  key: string,
  expected: readonly string[],
  rules: Rules,
  place: Place,
): CompiledCondition {
  const wanted = expected.map((value) => {
    if (value !== 'true' && value !== 'false')
      throw fault(place, `"${value}" is neither "true" (absent) nor "false" (present)`);
    return value === 'true';
  });
  return {
    operator: 'Null',
    key,
    expected,
    variables: [],
    holds: (context) => wanted.includes((valuesOf(context, key, rules.flavour)?.length ?? 0) === 0),
  };
}
