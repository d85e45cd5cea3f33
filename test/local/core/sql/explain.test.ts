import { expect, it } from '@jest/globals';
import {
  compileRule,
  explain,
  explainAsync,
  walkExpressions,
} from '../../../../local/core/sql/index.ts';
import { ENV, messageOf } from './support.ts';

const steps = (sql: string, payload: unknown): string[] =>
  explain(compileRule(sql), messageOf(payload), ENV).map(
    ({ clause, source, text, why }) =>
      `${clause} ${source} = ${text}${why === undefined ? '' : ` (${why})`}`,
  );

it('shows the value of each expression, innermost first', () => {
  expect(
    steps("SET @f = t * 2 SELECT upper(site) AS s FROM 'dt/#' WHERE @f > 40", { t: 21, site: 'a' }),
  ).toEqual([
    'SET t = 21',
    'SET t * 2 = 42',
    'WHERE @f = 42',
    'WHERE @f > 40 = true',
    'SELECT site = "a"',
    'SELECT upper(site) = "A"',
  ]);
});

it('stops at a WHERE that does not pass', () => {
  expect(steps("SELECT a FROM 'dt/#' WHERE b = 1", { b: 2 })).toEqual([
    'WHERE b = 2',
    'WHERE b = 1 = false',
  ]);
});

it.each([
  ['a', {}, 'there is no field a'],
  ['a.b', { a: 5 }, 'no field b in Int 5'],
  ['abs(a)', { a: 'x' }, 'no result of abs for String "x"'],
  ['a / 0', { a: 1 }, 'no result of / for Int 1 and Int 0'],
  ['NOT a', { a: null }, 'no result of NOT for Null'],
  ['cast(a AS Int)', { a: [1] }, 'no Int for Array [1]'],
  ['CASE a WHEN 1 THEN 2 ELSE 3 END', {}, 'the value to compare is Undefined'],
  ['CASE a WHEN 1 THEN 2 END', { a: 5 }, 'no WHEN fits, or what it gives is Undefined'],
  ['traceid()', {}, 'no result of traceid for this message'],
  ['a', Buffer.from('plain text'), 'the payload is not JSON'],
])('says why %s is Undefined', (expression, payload, why) => {
  const rule = compileRule(`SELECT ${expression} AS r FROM 'dt/#'`);
  expect(explain(rule, messageOf(payload), ENV).at(-1)).toMatchObject({ value: undefined, why });
});

it('gives line, column and type of each step', () => {
  const rule = compileRule("SELECT\n  1.5 + a AS b\nFROM 'dt/#'");
  expect(explain(rule, messageOf({ a: 1 }), ENV)).toMatchObject([
    { source: 'a', line: 2, column: 9, type: 'Int', text: '1' },
    { source: '1.5 + a', line: 2, column: 3, type: 'Decimal', text: '2.5' },
  ]);
});

it('repeats the steps of a nested SELECT for each element, up to 1,000', () => {
  const rule = compileRule("SELECT (SELECT VALUE v FROM list) AS l FROM 'dt/#'");
  const list = Array.from({ length: 3 }, (_, v) => ({ v }));
  expect(explain(rule, messageOf({ list }), ENV).map(({ text }) => text)).toEqual([
    '[{"v":0},{"v":1},{"v":2}]',
    '0',
    '1',
    '2',
    '[0,1,2]',
  ]);
  const many = Array.from({ length: 5_000 }, (_, v) => ({ v }));
  expect(explain(rule, messageOf({ list: many }), ENV)).toHaveLength(1_000);
});

it('awaits the services of a rule', async () => {
  const rule = compileRule("SELECT aws_lambda('arn', {'a': a}).b AS r FROM 'dt/#'", {
    services: ['aws_lambda'],
  });
  const env = { ...ENV, services: { aws_lambda: () => Promise.resolve({ b: 7 }) } };
  const found = await explainAsync(rule, messageOf({ a: 1 }), env);
  expect(found.map(({ source, text }) => `${source} = ${text}`)).toEqual([
    'a = 1',
    '{\'a\': a} = {"a":1}',
    "aws_lambda('arn', {'a': a}) = {\"b\":7}",
    "aws_lambda('arn', {'a': a}).b = 7",
  ]);
});

it('walks every expression of a statement', () => {
  const { statement } = compileRule(
    "SET @a = b SELECT -c AS x, [d] AS y, {'e': f} AS z, cast(g AS Int) AS w, (SELECT h FROM i WHERE j) AS v FROM 'dt/#' WHERE CASE k WHEN l THEN m ELSE n END",
  );
  const names = [...walkExpressions(statement)].flatMap((expression) =>
    expression.kind === 'name' ? [expression.name] : [],
  );
  expect(names.join('')).toBe('bcdfghijklmn');
});
