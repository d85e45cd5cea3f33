/** A pattern that is malformed, or asks for an operator that is not there. */
export class PatternError extends Error {
  override readonly name = 'PatternError';

  constructor(path: string, what: string) {
    super(`${path || 'pattern'}: ${what}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Test = (value: unknown) => boolean;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Compiles an EventBridge event pattern: exact values, `prefix`, `suffix`, `equals-ignore-case`,
 * `anything-but`, `numeric`, `exists`, and `$or`.
 *
 * @param pattern  the parsed JSON
 * @returns        whether an event, itself parsed JSON, matches
 * @throws {PatternError} naming the place, and the operator where it is not supported (`cidr`, `wildcard`)
 * @see EventBridge User Guide, "Comparison operators for use in event patterns"
 */
export function compilePattern(pattern: unknown): (event: unknown) => boolean {
  return fieldsTest(pattern, '');
}

function fieldsTest(pattern: unknown, path: string): Test {
  if (!isFields(pattern)) throw new PatternError(path, 'takes an object');
  if (Object.keys(pattern).length === 0) throw new PatternError(path, 'is empty');
  const tests = Object.entries(pattern).map(([key, expected]) =>
    key === '$or' ? orTest(expected, `${path}$or`) : fieldTest(key, expected, path),
  );
  return (value) => tests.every((test) => test(value));
}

function orTest(alternatives: unknown, path: string): Test {
  if (!Array.isArray(alternatives) || alternatives.length < 2) {
    throw new PatternError(path, 'takes a list of two or more patterns');
  }
  const tests = alternatives.map((pattern, index) => fieldsTest(pattern, `${path}[${index}].`));
  return (value) => tests.some((test) => test(value));
}

function fieldTest(key: string, expected: unknown, path: string): Test {
  const at = `${path}${key}`;
  const test = Array.isArray(expected) ? leafTest(expected, at) : nestedTest(expected, `${at}.`);
  return (value) => test(isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined);
}

/** A list of objects matches where one of them does; a missing one is as good as an empty one. */
function nestedTest(expected: unknown, path: string): Test {
  const test = fieldsTest(expected, path);
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

/** A list of values matches where one of them does. */
function leafTest(expected: readonly unknown[], path: string): Test {
  if (expected.length === 0)
    throw new PatternError(path, 'is an empty list, which matches nothing');
  const tests = expected.map((one, index) => valueTest(one, `${path}[${index}]`));
  return (value) => {
    const leaves = leavesOf(value);
    return tests.some((test) => test(leaves));
  };
}

const leavesOf = (value: unknown): readonly unknown[] =>
  (Array.isArray(value) ? value.flat(Infinity) : [value]).filter(
    (leaf) => leaf !== undefined && !isFields(leaf),
  );

type LeavesTest = (leaves: readonly unknown[]) => boolean;

const some =
  (test: Test): LeavesTest =>
  (leaves) =>
    leaves.some(test);

function valueTest(expected: unknown, path: string): LeavesTest {
  if (!isFields(expected)) return some((value) => value === expected);
  const [operator, more] = Object.keys(expected);
  if (operator === undefined || more !== undefined) {
    throw new PatternError(path, 'takes exactly one operator');
  }
  const argument = expected[operator];
  const at = `${path}.${operator}`;
  if (operator === 'exists') return existsTest(argument, at);
  if (operator === 'anything-but') return some(anythingBut(argument, at));
  if (operator === 'numeric') return some(numericTest(argument, at));
  return some(textTest(operator, argument, at));
}

function existsTest(argument: unknown, path: string): LeavesTest {
  if (typeof argument !== 'boolean') throw new PatternError(path, 'takes true or false');
  return (leaves) => leaves.length > 0 === argument;
}

const TEXT_TESTS: Readonly<Record<string, (value: string, expected: string) => boolean>> = {
  prefix: (value, expected) => value.startsWith(expected),
  suffix: (value, expected) => value.endsWith(expected),
  'equals-ignore-case': (value, expected) => value === expected,
};

function textTest(operator: string, argument: unknown, path: string): Test {
  const test = TEXT_TESTS[operator];
  if (!test) throw new PatternError(path, `the operator ${operator} is not supported`);
  if (isFields(argument) && operator !== 'equals-ignore-case') {
    const { 'equals-ignore-case': inner, ...others } = argument;
    if (typeof inner === 'string' && Object.keys(others).length === 0) {
      return (value) => typeof value === 'string' && test(value.toLowerCase(), inner.toLowerCase());
    }
  }
  if (typeof argument !== 'string') throw new PatternError(path, 'takes text');
  const fold = operator === 'equals-ignore-case' ? lower : same;
  return (value) => typeof value === 'string' && test(fold(value), fold(argument));
}

const lower = (text: string): string => text.toLowerCase();
const same = (text: string): string => text;

function anythingBut(argument: unknown, path: string): Test {
  if (isFields(argument)) {
    const [operator = '', more] = Object.keys(argument);
    if (more !== undefined) throw new PatternError(path, 'takes exactly one operator');
    const excluded = [argument[operator]].flat();
    const tests = excluded.map((one) => textTest(operator, one, `${path}.${operator}`));
    return (value) => !tests.some((test) => test(value));
  }
  const excluded = Array.isArray(argument) ? argument : [argument];
  if (excluded.length === 0 || excluded.some((one) => typeof one === 'object' && one !== null)) {
    throw new PatternError(path, 'takes a value, a list of values, or one text operator');
  }
  return (value) => !excluded.includes(value);
}

const COMPARISONS: Readonly<Record<string, (value: number, than: number) => boolean>> = {
  '=': (value, than) => value === than,
  '<': (value, than) => value < than,
  '<=': (value, than) => value <= than,
  '>': (value, than) => value > than,
  '>=': (value, than) => value >= than,
};

function numericTest(argument: unknown, path: string): Test {
  if (!Array.isArray(argument) || (argument.length !== 2 && argument.length !== 4)) {
    throw new PatternError(path, 'takes one comparison or two: [">", 0, "<=", 5]');
  }
  const bounds = argument.flatMap((operator, index) => {
    if (index % 2 === 1) return [];
    const compare = COMPARISONS[String(operator)];
    const than = argument[index + 1];
    if (!compare || typeof than !== 'number') {
      throw new PatternError(path, `${String(operator)} ${String(than)} is no comparison`);
    }
    return [(value: number) => compare(value, than)];
  });
  return (value) => typeof value === 'number' && bounds.every((holds) => holds(value));
}
