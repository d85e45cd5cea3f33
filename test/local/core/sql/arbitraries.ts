import fc from 'fast-check';

const WORDS = [
  ...'SELECT FROM WHERE AS VALUE SET AND OR NOT CASE WHEN THEN ELSE END NULL true'.split(' '),
  ...'* , . ( ) [ ] { } : = <> < >= + - / % ;'.split(' '),
  ...'@a @b a b value topic encode get abs concat cast Int get_or_default'.split(' '),
  ...["'t/#'", "'x'", '"y"', '1', '2.5', '1e400', 'é', '$', '\n', 'topic('],
];

/** Words of the language in any order. */
export const TOKENS = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 30 })
  .map((words) => `SELECT ${words.join(' ')}`);

const UNARY =
  'abs acos ceil floor round sign bitnot chr length lower md2 sha1 isNull isUndefined exp ln sqrt numbytes trim ltrim tan topic get_mqtt_property get_user_properties'.split(
    ' ',
  );
const BINARY =
  'get power mod trunc bitand bitxor lpad rpad concat startswith indexof regexp_matches regexp_substr substring atan2 nanvl parse_time time_to_epoch get_or_default'.split(
    ' ',
  );
const TERNARY = 'replace regexp_replace substring parse_time concat'.split(' ');
const OPERATORS = '+ - * / % = <> < > <= >= AND OR'.split(' ');
const LEAVES = [
  ...'a b arr obj missing a.b * 1 2.5 (-3) 1e30 true null topic() timestamp()'.split(' '),
  ...["'x'", "''", "'12'", "'(a+'", "'%%'", "'yyyy-MM-dd'"],
];

/** Statements' expressions of every form, right in their grammar. */
export const EXPRESSIONS: fc.Arbitrary<string> = fc.letrec<{ e: string }>((tie) => {
  const e = tie('e');
  const call = (names: readonly string[], count: number): fc.Arbitrary<string> =>
    fc
      .tuple(fc.constantFrom(...names), fc.array(e, { minLength: count, maxLength: count }))
      .map(([name, args]) => `${name}(${args.join(', ')})`);
  return {
    e: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...LEAVES),
      fc
        .tuple(e, fc.constantFrom(...OPERATORS), e)
        .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      call(UNARY, 1),
      call(BINARY, 2),
      call(TERNARY, 3),
      fc
        .tuple(e, fc.constantFrom('Int', 'String', 'Decimal', 'Boolean'))
        .map(([a, type]) => `cast(${a} AS ${type})`),
      fc.tuple(e, e, e).map(([a, b, c]) => `(CASE ${a} WHEN ${b} THEN ${c} ELSE ${a} END)`),
      fc.tuple(e, e).map(([a, b]) => `[${a}, {'k': ${b}, '__proto__': ${a}}]`),
      e.map((a) => `decode(encode(${a}, 'base64'), 'base64')`),
      e.map((a) => `transform('enrichArray', {'a': ${a}}, arr)`),
      fc
        .tuple(e, fc.constantFrom('a', 'arr', 'obj', '*'), e)
        .map(([a, from, where]) => `(SELECT ${a} AS q, * FROM ${from} WHERE ${where})`),
    ),
  };
}).e;

const ODD = fc.constantFrom<unknown>('12', '-1.5e3', 'true', 'a+', '$1', 'yyyy', 9e15, 1e21, 0.1);

/** JSON, numbers that no double holds, odd keys, and bytes that are no JSON at all. */
export const PAYLOADS: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc
    .dictionary(fc.constantFrom('a', 'b', 'arr', 'obj'), fc.oneof(fc.jsonValue(), ODD))
    .map((value) => Buffer.from(JSON.stringify(value))),
  fc.constant(
    Buffer.from(
      '{"a":9007199254740993,"b":1e400,"arr":[{"a":1e-999},1E999,-1.5e18],"obj":{"__proto__":1,"a":"\\ud800"}}',
    ),
  ),
  fc.uint8Array(),
);
