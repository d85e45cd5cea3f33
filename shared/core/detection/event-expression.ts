/*
 * The expressions of AWS IoT Events: literals, references to inputs and variables, operators, functions.
 * https://docs.aws.amazon.com/iotevents/latest/developerguide/iotevents-expressions.html
 */

/** Whole and decimal numbers are told apart, as a division of whole numbers is whole. */
export type EventValue =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null' }
  /** Data that is not there, or an operation on what it cannot take. */
  | { readonly type: 'undefined' };

export const UNDEFINED: EventValue = { type: 'undefined' };

/** What an expression may ask of the detector that evaluates it. */
export interface EventScope {
  /** `path` without the input's name: `sensorData.pressure`. */
  input(name: string, path: string): EventValue;
  variable(name: string): EventValue;
  timedOut(timer: string): boolean;
  isCurrent(input: string): boolean;
  readonly trigger: 'Message' | 'Timer';
}

export type EventExpression = (scope: EventScope) => EventValue;

/** What is wrong with an expression, and where. */
export class EventExpressionError extends Error {
  override readonly name = 'EventExpressionError';

  constructor(problem: string, text: string, at: number) {
    super(`${problem} at character ${at + 1} of ${JSON.stringify(text)}`);
  }
}

const TOKEN =
  /\s*(?:(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<text>'[^']*'|"[^"]*")|(?<reference>\$(?:input|variable)(?:\.[A-Za-z0-9_-]+|\.`[^`]+`)+)|(?<name>[A-Za-z][A-Za-z0-9]*)|(?<sign>\|\||&&|==|!=|<=|>=|[-+*/<>!~|&^(),]))/y;

interface Token {
  readonly kind: 'number' | 'text' | 'reference' | 'name' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}

const KINDS = ['number', 'text', 'reference', 'name', 'sign'] as const;

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(text)?.groups;
    const kind = KINDS.find((name) => groups?.[name] !== undefined);
    if (groups === undefined || kind === undefined) {
      throw new EventExpressionError('what is this', text, at);
    }
    const word = groups[kind] ?? '';
    at = TOKEN.lastIndex;
    tokens.push({ kind, text: word, at: at - word.length });
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }];
}

/** Operators from the weakest to the strongest; those in a row bind alike, to the left. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
];
const DEPTH_MAX = 50;

/** @throws {EventExpressionError} where the text is not an expression, or asks for a function that there is not */
export function compileExpression(text: string): EventExpression {
  const tokens = tokensOf(text);
  let next = 0;
  let depth = 0;
  const peek = (): Token => tokens[next] ?? { kind: 'end', text: '', at: text.length };
  const take = (): Token => {
    const token = peek();
    next += 1;
    return token;
  };
  const fail = (problem: string, { at }: Token): never => {
    throw new EventExpressionError(problem, text, at);
  };
  const expect = (sign: string): void => {
    const token = take();
    if (token.text !== sign || token.kind !== 'sign') fail(`wants ${sign}`, token);
  };

  const binary = (level: number): EventExpression => {
    const operators = LEVELS[level];
    if (operators === undefined) return unary();
    let left = binary(level + 1);
    while (peek().kind === 'sign' && operators.includes(peek().text)) {
      left = combine(take().text, left, binary(level + 1));
    }
    return left;
  };

  const unary = (): EventExpression => {
    const token = peek();
    if (token.kind !== 'sign' || !['!', '-', '~'].includes(token.text)) return primary();
    take();
    deeper(token);
    const operand = unary();
    depth -= 1;
    return (scope) => negated(token.text, operand(scope));
  };

  const deeper = (token: Token): void => {
    depth += 1;
    if (depth > DEPTH_MAX) fail(`is nested deeper than ${DEPTH_MAX}`, token);
  };

  const primary = (): EventExpression => {
    const token = take();
    if (token.kind === 'number') return literal(numberOf(token.text));
    if (token.kind === 'text') return literal({ type: 'string', value: token.text.slice(1, -1) });
    if (token.kind === 'reference') return reference(token.text);
    if (token.kind === 'name') return named(token);
    if (token.text !== '(') return fail('wants a value', token);
    deeper(token);
    const inner = binary(0);
    depth -= 1;
    expect(')');
    return inner;
  };

  const named = (token: Token): EventExpression => {
    if (token.text === 'true' || token.text === 'false') {
      return literal({ type: 'boolean', value: token.text === 'true' });
    }
    const build = FUNCTIONS.get(token.text);
    if (build === undefined) return fail(`there is no function ${token.text}`, token);
    expect('(');
    deeper(token);
    const inputs: Argument[] = [];
    while (peek().text !== ')') {
      if (inputs.length > 0) expect(',');
      inputs.push(argument());
    }
    depth -= 1;
    expect(')');
    return build(inputs) ?? fail(`${token.text} does not take these arguments`, token);
  };

  const argument = (): Argument => {
    const token = peek();
    const isType = token.kind === 'name' && TYPES.some((type) => type === token.text);
    if (isType) return { word: take().text };
    return { word: token.kind === 'text' ? token.text.slice(1, -1) : undefined, value: binary(0) };
  };

  const whole = binary(0);
  if (peek().kind !== 'end') fail('wants an operator or the end', peek());
  return whole;
}

const literal =
  (value: EventValue): EventExpression =>
  () =>
    value;

const numberOf = (text: string): EventValue => ({
  type: /^\d+$/.test(text) ? 'integer' : 'decimal',
  value: Number(text),
});

function reference(text: string): EventExpression {
  const [kind, name = '', ...path] = text.replaceAll('`', '').split('.');
  if (kind === '$variable') return (scope) => scope.variable(name);
  return (scope) => scope.input(name, path.join('.'));
}

interface Argument {
  /** Of a quoted text, or the name of a type. */
  readonly word: string | undefined;
  readonly value?: EventExpression;
}

const TYPES = ['String', 'Decimal', 'Boolean', 'Integer'] as const;

const isText = (value: EventValue) => value.type === 'string';
type Numeric = Extract<EventValue, { readonly value: number }>;

const isNumber = (value: EventValue): value is Numeric =>
  value.type === 'integer' || value.type === 'decimal';
const boolean = (value: boolean): EventValue => ({ type: 'boolean', value });

type Builder = (inputs: readonly Argument[]) => EventExpression | undefined;

const wordly =
  (make: (word: string) => EventExpression): Builder =>
  ([first, ...rest]) =>
    first?.word === undefined || rest.length > 0 ? undefined : make(first.word);

const single =
  (make: (value: EventValue) => EventValue): Builder =>
  ([first, ...rest]) => {
    const value = first?.value;
    return value === undefined || rest.length > 0 ? undefined : (scope) => make(value(scope));
  };

const ofTexts =
  (test: (text: string, part: string) => boolean): Builder =>
  ([text, part, ...rest]) => {
    const [one, other] = [text?.value, part?.value];
    if (one === undefined || other === undefined || rest.length > 0) return undefined;
    return (scope) => {
      const [whole, piece] = [one(scope), other(scope)];
      if (whole.type !== 'string' || piece.type !== 'string') return UNDEFINED;
      return boolean(test(whole.value, piece.value));
    };
  };

const FUNCTIONS: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ['timeout', wordly((timer) => (scope) => boolean(scope.timedOut(timer)))],
  ['currentInput', wordly((input) => (scope) => boolean(scope.isCurrent(input)))],
  ['triggerType', wordly((trigger) => (scope) => boolean(scope.trigger === trigger))],
  ['isNull', single(({ type }) => (type === 'undefined' ? UNDEFINED : boolean(type === 'null')))],
  ['isUndefined', single(({ type }) => boolean(type === 'undefined'))],
  ['startsWith', ofTexts((text, part) => text.startsWith(part))],
  ['endsWith', ofTexts((text, part) => text.endsWith(part))],
  ['contains', ofTexts((text, part) => text.includes(part))],
  ['bitor', bitwise((one, other) => one | other)],
  ['bitand', bitwise((one, other) => one & other)],
  ['bitxor', bitwise((one, other) => one ^ other)],
  [
    'convert',
    ([type, from, ...rest]) => {
      const value = from?.value;
      const to = TYPES.find((name) => name === type?.word);
      if (value === undefined || to === undefined || rest.length > 0) return undefined;
      return (scope) => converted(to, value(scope));
    },
  ],
]);

function bitwise(of: (one: number, other: number) => number): Builder {
  return ([left, right, ...rest]) => {
    const [one, other] = [left?.value, right?.value];
    if (one === undefined || other === undefined || rest.length > 0) return undefined;
    return (scope) => bits(of, one(scope), other(scope));
  };
}

function bits(
  of: (one: number, other: number) => number,
  one: EventValue,
  other: EventValue,
): EventValue {
  if (one.type !== 'integer' || other.type !== 'integer') return UNDEFINED;
  return { type: 'integer', value: of(one.value, other.value) };
}

function converted(type: (typeof TYPES)[number], value: EventValue): EventValue {
  if (value.type === 'undefined' || value.type === 'null') return UNDEFINED;
  if (type === 'String') return { type: 'string', value: String(value.value) };
  if (type === 'Boolean') {
    const text = String(value.value);
    return text === 'true' || text === 'false' ? boolean(text === 'true') : UNDEFINED;
  }
  const number =
    isText(value) && String(value.value).trim() === '' ? Number.NaN : Number(value.value);
  if (!Number.isFinite(number)) return UNDEFINED;
  return type === 'Integer'
    ? { type: 'integer', value: Math.round(number) }
    : { type: 'decimal', value: number };
}

function negated(sign: string, value: EventValue): EventValue {
  if (sign === '!') return value.type === 'boolean' ? boolean(!value.value) : UNDEFINED;
  if (sign === '~') {
    return value.type === 'integer' ? { type: 'integer', value: ~value.value } : UNDEFINED;
  }
  return isNumber(value) ? { type: value.type, value: -value.value } : UNDEFINED;
}

const BITS: ReadonlyMap<string, (one: number, other: number) => number> = new Map([
  ['|', (one: number, other: number) => one | other],
  ['&', (one: number, other: number) => one & other],
  ['^', (one: number, other: number) => one ^ other],
]);

function combine(sign: string, left: EventExpression, right: EventExpression): EventExpression {
  if (sign === '||') {
    return (scope) => boolean(isTrue(left(scope)) || isTrue(right(scope)));
  }
  if (sign === '&&') return (scope) => both(left(scope), () => right(scope));
  const bit = BITS.get(sign);
  if (bit !== undefined) return (scope) => bits(bit, left(scope), right(scope));
  return (scope) => calculated(sign, left(scope), right(scope));
}

export const isTrue = (value: EventValue): boolean => value.type === 'boolean' && value.value;

function both(one: EventValue, other: () => EventValue): EventValue {
  if (one.type !== 'boolean') return UNDEFINED;
  if (!one.value) return one;
  const second = other();
  return second.type === 'boolean' ? second : UNDEFINED;
}

function calculated(sign: string, one: EventValue, other: EventValue): EventValue {
  if (one.type === 'undefined' || other.type === 'undefined') return UNDEFINED;
  if (isNumber(one) && isNumber(other)) return ofNumbers(sign, one, other);
  if (one.type === 'string' && other.type === 'string')
    return ofStrings(sign, one.value, other.value);
  if (sign !== '==' && sign !== '!=') return UNDEFINED;
  const equal = one.type === other.type && (one.type === 'null' || sameBoolean(one, other));
  return boolean(equal === (sign === '=='));
}

const sameBoolean = (one: EventValue, other: EventValue): boolean =>
  one.type === 'boolean' && other.type === 'boolean' && one.value === other.value;

function ofStrings(sign: string, one: string, other: string): EventValue {
  if (sign === '+') return { type: 'string', value: one + other };
  if (sign === '==') return boolean(one === other);
  return sign === '!=' ? boolean(one !== other) : UNDEFINED;
}

function ofNumbers(sign: string, { value: one, type }: Numeric, other: Numeric): EventValue {
  const compared = comparedBy(sign, one, other.value);
  if (compared !== undefined) return boolean(compared);
  const whole = type === 'integer' && other.type === 'integer';
  const value = reckoned(sign, one, other.value);
  if (!Number.isFinite(value)) return UNDEFINED;
  return { type: whole ? 'integer' : 'decimal', value: whole ? Math.round(value) : value };
}

function comparedBy(sign: string, one: number, other: number): boolean | undefined {
  if (sign === '<') return one < other;
  if (sign === '<=') return one <= other;
  if (sign === '>') return one > other;
  if (sign === '>=') return one >= other;
  if (sign === '==') return one === other;
  return sign === '!=' ? one !== other : undefined;
}

function reckoned(sign: string, one: number, other: number): number {
  if (sign === '+') return one + other;
  if (sign === '-') return one - other;
  return sign === '*' ? one * other : one / other;
}
