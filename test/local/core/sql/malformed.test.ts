import { describe, expect, it } from '@jest/globals';
import {
  compileRule,
  compileTemplate,
  SqlSyntaxError,
  UnsupportedSqlError,
} from '../../../../local/core/sql/index.ts';

type Malformed = readonly [text: string, line: number, column: number, expected: string];

const STATEMENTS: readonly Malformed[] = [
  ['', 1, 1, 'SELECT or SET'],
  ['   ', 1, 4, 'SELECT or SET'],
  ["DELETE FROM 'a'", 1, 1, 'SELECT or SET'],
  ['select', 1, 7, 'an expression'],
  ["SELECT FROM 'a'", 1, 8, 'an expression'],
  ['SELECT * FROM', 1, 14, "a topic filter in quotes, such as 'dt/+/status'"],
  ['SELECT * FROM dt/#', 1, 15, "a topic filter in quotes, such as 'dt/+/status'"],
  ['SELECT * FROM dt', 1, 15, "a topic filter in quotes, such as 'dt/+/status'"],
  ["SELECT * FROM ''", 1, 16, 'a topic filter'],
  ["SELECT * FROM 'a/#/b'", 1, 19, "nothing after '#'"],
  ["SELECT * FROM 'a/b#'", 1, 18, "'#' as a level of its own"],
  ["SELECT * FROM 'a+/b'", 1, 16, "'+' as a level of its own"],
  ["SELECT * FROM 'a' 'b'", 1, 19, 'WHERE or the end of the statement'],
  ["SELECT * FROM 'a', 'b'", 1, 18, 'WHERE or the end of the statement'],
  ["SELECT * FROM 'a' WHERE", 1, 24, 'an expression'],
  ["SELECT * FROM 'a' WHERE x >", 1, 28, 'an expression'],
  ["SELECT * FROM 'a' WHERE x = 1 WHERE y = 2", 1, 31, 'an operator or the end of the statement'],
  ["SELECT * WHERE x = 1 FROM 'a'", 1, 22, 'an operator or the end of the statement'],
  ["SELECT a b FROM 'x'", 1, 10, "an operator, ',', AS, FROM or WHERE"],
  ["SELECT a, FROM 'x'", 1, 11, 'an expression'],
  ["SELECT , a FROM 'x'", 1, 8, 'an expression'],
  ["SELECT a,, b FROM 'x'", 1, 10, 'an expression'],
  ["SELECT (a FROM 'x'", 1, 11, "an operator or ')'"],
  ["SELECT a) FROM 'x'", 1, 9, "an operator, ',', AS, FROM or WHERE"],
  ["SELECT ((a) FROM 'x'", 1, 13, "an operator or ')'"],
  ["SELECT a AS FROM 'x'", 1, 13, 'a name'],
  ["SELECT a AS 'b' FROM 'x'", 1, 13, 'a name'],
  ["SELECT a AS b. FROM 'x'", 1, 16, 'a name after the point'],
  ["SELECT a AS 1b FROM 'x'", 1, 14, 'an operator or the end of the number'],
  ["SELECT a + 1 FROM 'x'", 1, 14, 'an operator or AS and a name'],
  ["SELECT topic() FROM 'x'", 1, 16, 'an operator or AS and a name'],
  ["SELECT 'text' FROM 'x'", 1, 15, 'an operator or AS and a name'],
  ["SELECT a. FROM 'x'", 1, 11, 'a name after the point'],
  ["SELECT a.0 FROM 'x'", 1, 10, 'a name after the point'],
  ["SELECT a.'b' FROM 'x'", 1, 10, 'a name after the point'],
  ["SELECT a[0] AS b FROM 'x'", 1, 9, 'an operator'],
  ["SELECT a * AS b FROM 'x'", 1, 12, 'an expression'],
  ["SELECT a + * FROM 'x'", 1, 14, 'an operator or AS and a name'],
  ["SELECT 1 2 AS b FROM 'x'", 1, 10, 'an operator or AS and a name'],
  ["SELECT 1. AS b FROM 'x'", 1, 10, 'digits after the decimal point'],
  ["SELECT .5 AS b FROM 'x'", 1, 8, 'an expression'],
  ["SELECT 1abc AS b FROM 'x'", 1, 9, 'an operator or the end of the number'],
  ["SELECT 1e9999 AS b FROM 'x'", 1, 8, 'a number of at most 9.99E999'],
  ["SELECT 'open AS b FROM x", 1, 8, "a closing '"],
  ['SELECT "open AS b FROM x', 1, 8, 'a closing "'],
  [
    `SELECT a -- why
FROM 'x'`,
    1,
    10,
    'a name, literal, operator or bracket',
  ],
  ["SELECT /* all */ * FROM 'x'", 1, 8, 'a name, literal, operator or bracket'],
  ["SELECT * FROM 'x';", 1, 18, 'a name, literal, operator or bracket'],
  ["SELECT * FROM 'x' WHERE a != 1", 1, 27, 'a name, literal, operator or bracket'],
  ["SELECT * FROM 'x' WHERE a == 1", 1, 27, 'a name, literal, operator or bracket'],
  ["SELECT * FROM 'x' WHERE a && b", 1, 27, 'a name, literal, operator or bracket'],
  ["SELECT a || b AS c FROM 'x'", 1, 10, 'a name, literal, operator or bracket'],
  ["SELECT `a` FROM 'x'", 1, 8, 'a name, literal, operator or bracket'],
  ["SELECT a ? b AS c FROM 'x'", 1, 10, 'a name, literal, operator or bracket'],
  ["SELECT * FROM 'x' WHERE a LIKE 'b%'", 1, 27, 'an operator or the end of the expression'],
  ["SELECT * FROM 'x' WHERE a IN (1, 2)", 1, 27, 'an operator or the end of the expression'],
  ["SELECT * FROM 'x' WHERE a BETWEEN 1 AND 2", 1, 27, 'an operator or the end of the expression'],
  ["SELECT * FROM 'x' WHERE a IS NULL", 1, 27, 'an operator or the end of the expression'],
  ["SELECT a FROM 'x' GROUP BY a", 1, 19, 'WHERE or the end of the statement'],
  ["SELECT a FROM 'x' ORDER BY a", 1, 19, 'WHERE or the end of the statement'],
  ["SELECT a FROM 'x' LIMIT 1", 1, 19, 'WHERE or the end of the statement'],
  ["SELECT a FROM 'x' JOIN 'y'", 1, 19, 'WHERE or the end of the statement'],
  ["SELECT * FROM 'x' WHERE 1 < a < 3", 1, 31, 'AND, OR or the end of the comparison'],
  ["SELECT * FROM 'x' WHERE a = NOT b", 1, 29, 'an expression'],
  ["SELECT * FROM 'x' WHERE NOT", 1, 28, 'an expression'],
  ["SELECT * FROM 'x' WHERE a AND", 1, 30, 'an expression'],
  ["SELECT * FROM 'x' WHERE OR b", 1, 25, 'an expression'],
  ["SELECT CASE WHEN a THEN 1 END AS b FROM 'x'", 1, 13, 'the value to compare'],
  ["SELECT CASE a END AS b FROM 'x'", 1, 15, 'an operator or WHEN'],
  ["SELECT CASE a WHEN 1 END AS b FROM 'x'", 1, 22, 'an operator or THEN'],
  ["SELECT CASE a WHEN 1 THEN 2 AS b FROM 'x'", 1, 29, 'an operator, WHEN, ELSE or END'],
  ["SELECT CASE a WHEN 1 THEN 2 ELSE 3 AS b FROM 'x'", 1, 36, 'an operator or END'],
  ["SELECT cast(a) AS b FROM 'x'", 1, 14, 'AS and a type'],
  [
    "SELECT cast(a AS Float) AS b FROM 'x'",
    1,
    18,
    'a type: STRING, NVARCHAR, TEXT, NTEXT, VARCHAR, INT, INTEGER, DOUBLE, DECIMAL, BOOL, BOOLEAN',
  ],
  ["SELECT cast(a AS Int AS b FROM 'x'", 1, 22, "')'"],
  ["SELECT [1, 2 AS b FROM 'x'", 1, 14, "an operator, ',' or ']'"],
  ["SELECT {a: 1} AS b FROM 'x'", 1, 9, 'a key in quotes'],
  ["SELECT {'a' 1} AS b FROM 'x'", 1, 13, "':'"],
  ["SELECT {'a': 1, } AS b FROM 'x'", 1, 17, 'a key in quotes'],
  ["SELECT (SELECT a) AS b FROM 'x'", 1, 17, "an operator, ',', AS or FROM"],
  ["SELECT (SELECT a FROM 'y') AS b FROM 'x'", 1, 23, 'an array or object of the payload, or *'],
  ["SELECT SELECT a FROM b FROM 'x'", 1, 8, 'an expression'],
  ["SELECT abs(1, 2) AS b FROM 'x'", 1, 8, '1 argument of abs'],
  ["SELECT substring('a') AS b FROM 'x'", 1, 8, '2 to 3 arguments of substring'],
  ["SELECT abs(1 AS b FROM 'x'", 1, 14, "an operator, ',' or ')'"],
  ["SELECT sqroot(1) AS b FROM 'x'", 1, 8, 'a function of IoT SQL'],
  ["SELECT uper(a) AS b FROM 'x'", 1, 8, 'a function of IoT SQL'],
  ["SELECT frobnicate(a) AS b FROM 'x'", 1, 8, 'a function of IoT SQL'],
  ["SELECT encode(*, 'hex') AS b FROM 'x'", 1, 18, "'base64'"],
  ["SELECT encode(*, scheme) AS b FROM 'x'", 1, 18, "'base64'"],
  ["SELECT decode(a, 'base64', 'b') AS c FROM 'x'", 1, 8, "2 arguments of decode(…, 'base64', …)"],
  ["SELECT decode(a, 'gzip') AS c FROM 'x'", 1, 18, "'base64' or 'proto'"],
  ["SELECT @a AS b FROM 'x'", 1, 8, 'a variable that SET binds before'],
  ["SET a = 1 SELECT @a AS b FROM 'x'", 1, 5, 'a variable such as @name'],
  ["SET @a 1 SELECT @a AS b FROM 'x'", 1, 8, "'='"],
  ["SET @a = 1 @b = 2 SELECT @a AS b FROM 'x'", 1, 12, "',' or SELECT"],
  ["SET @a = 1, @a = 2 SELECT @a AS b FROM 'x'", 1, 13, 'a variable not set before'],
  ["SET @a = @b, @b = 2 SELECT @a AS b FROM 'x'", 1, 10, 'a variable that SET binds before'],
  ['SET @a = 1', 1, 11, "',' or SELECT"],
  ["SET @ = 1 SELECT * FROM 'x'", 1, 5, 'a name, literal, operator or bracket'],
  ['SELECT VALUE FROM', 1, 18, "a topic filter in quotes, such as 'dt/+/status'"],
  ["SELECT VALUE a, b FROM 'x'", 1, 15, 'an operator, FROM or WHERE'],
  [
    `SELECT *
FROM 'x'
WHERE temperature >
  AND humidity < 3`,
    4,
    3,
    'an expression',
  ],
  [`SELECT "é𝒳" AS a FROM 'x' WHERE b !`, 1, 35, 'a name, literal, operator or bracket'],
  ["SELECT ${ AS a FROM 'x'", 1, 8, 'a name, literal, operator or bracket'],
];

/** With `#{` for the dollar and brace of a template, which no string literal here should seem to be. */
const TEMPLATES: readonly Malformed[] = [
  ['#{', 1, 3, 'an expression'],
  ['#{}', 1, 3, 'an expression'],
  ['a/#{topic(', 1, 11, 'an expression'],
  ['a/#{topic()', 1, 12, "an operator or '}'"],
  ['#{a} and #{b c}', 1, 14, "an operator or '}'"],
  ['#{SELECT a FROM b}', 1, 3, 'an expression'],
  ['#{topik(1)}', 1, 3, 'a function of IoT SQL'],
];

const errorOf = (compile: () => unknown): unknown => {
  try {
    compile();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('a malformed statement', () => {
  it.each(STATEMENTS)('%j is refused at line %i, column %i', (sql, line, column, expected) => {
    const error = errorOf(() => compileRule(sql));
    expect(error).toBeInstanceOf(SqlSyntaxError);
    expect(error).toMatchObject({ line, column, expected });
  });

  it('says in one sentence where, what was expected, what stood there, and what to write', () => {
    expect(() => compileRule("SELECT uper(a) AS b FROM 'x'")).toThrow(
      "line 1, column 8: expected a function of IoT SQL, found 'uper' (did you mean upper?)",
    );
  });

  it.each([
    ['parentheses', `SELECT ${'('.repeat(100_000)}`],
    ['closed parentheses', `SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)} AS a`],
    ['brackets', `SELECT ${'['.repeat(100_000)}`],
    ['objects', `SELECT ${"{'a':".repeat(50_000)}`],
    ['calls', `SELECT ${'abs('.repeat(50_000)}`],
    ['cases', `SELECT ${'CASE '.repeat(50_000)}`],
    ['nested queries', `SELECT ${'(SELECT '.repeat(50_000)}`],
    ['negations', `SELECT * WHERE ${'NOT '.repeat(100_000)}`],
    ['signs', `SELECT ${'- '.repeat(100_000)}`],
    ['operators', `SELECT 1${' + 1'.repeat(50_000)} AS a`],
    ['members', `SELECT a${'.a'.repeat(50_000)}`],
    ['aliases', `SELECT a AS a${'.a'.repeat(50_000)}`],
  ])('with too many %s is refused, not run out of stack', (_name, sql) => {
    expect(errorOf(() => compileRule(sql))).toBeInstanceOf(SqlSyntaxError);
  });
});

describe('a malformed template', () => {
  it.each(TEMPLATES)('%j is refused at line %i, column %i', (text, line, column, expected) => {
    const error = errorOf(() => compileTemplate(text.replaceAll('#{', '${')));
    expect(error).toBeInstanceOf(SqlSyntaxError);
    expect(error).toMatchObject({ line, column, expected });
  });
});

describe('what the engine cannot run', () => {
  it.each([
    ["SELECT aws_lambda('arn', *) AS a FROM 'x'", 'aws_lambda'],
    ["SELECT get_dynamodb('t', 'k', id, 'role') AS a FROM 'x'", 'get_dynamodb'],
    ["SELECT get_thing_shadow('t', 'role') AS a FROM 'x'", 'get_thing_shadow'],
    ["SELECT get_secret('s', 'SecretString', 'role') AS a FROM 'x'", 'get_secret'],
    ["SELECT get_registry_data('DescribeThing', 't', 'role') AS a FROM 'x'", 'get_registry_data'],
    ["SELECT machinelearning_predict('m', 'role', *) AS a FROM 'x'", 'machinelearning_predict'],
    ["SELECT decode(*, 'proto', 'b', 'k', 'f', 'm') AS a FROM 'x'", "decode(…, 'proto', …)"],
    ["SELECT regexp_matches(a, 'x(?=y)') AS a FROM 'x'", 'lookaround in a regular expression'],
    ["SELECT regexp_substr(a, '(x)\\1') AS a FROM 'x'", 'a backreference in a regular expression'],
    ["SELECT time_to_epoch(a, 'YYYY-ww') AS a FROM 'x'", 'the pattern letter Y of time_to_epoch'],
  ])('%s is refused by name', (sql, feature) => {
    const error = errorOf(() => compileRule(sql));
    expect(error).toBeInstanceOf(UnsupportedSqlError);
    expect(error).toMatchObject({ feature, line: 1, column: expect.any(Number) });
  });
});
