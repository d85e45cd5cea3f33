import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FUNCTIONS } from '../../../../local/core/sql/functions/table.ts';
import {
  type CompiledRule,
  compileRule,
  compileTemplate,
  explain,
  SqlSyntaxError,
  UnsupportedSqlError,
} from '../../../../local/core/sql/index.ts';
import { EXPRESSIONS, PAYLOADS, TOKENS } from './arbitraries.ts';
import { ENV, messageOf } from './support.ts';

/** Compiles, or gives the refusal; any other error escapes. */
function attempt<T>(compile: () => T): T | SqlSyntaxError | UnsupportedSqlError {
  try {
    return compile();
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof UnsupportedSqlError) return error;
    throw error;
  }
}

const isRule = (value: unknown): value is CompiledRule =>
  typeof value === 'object' && value !== null && 'evaluate' in value;

describe('the parser', () => {
  it('refuses any text with a place inside it, or takes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const sql of [text, `SELECT ${text}`, `SELECT * FROM 'a' WHERE ${text}`]) {
          const refused = attempt(() => compileRule(sql));
          if (!(refused instanceof Error)) continue;
          expect(refused.line).toBeLessThanOrEqual(sql.split('\n').length);
          expect(refused.column).toBeLessThanOrEqual(sql.length + 1);
        }
        attempt(() => compileTemplate(`\${${text}`));
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses any row of tokens, or takes it', () => {
    fc.assert(
      fc.property(TOKENS, (sql) => {
        attempt(() => compileRule(sql));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('nesting', () => {
  it.each([
    ['get_or_default(a, …)', (inner: string) => `get_or_default(a, ${inner})`],
    ['get_or_default(…, 1)', (inner: string) => `get_or_default(${inner}, 1)`],
    ['CASE', (inner: string) => `CASE a WHEN ${inner} THEN 1 ELSE 2 END`],
    ['SELECT', (inner: string) => `(SELECT VALUE ${inner} FROM a)`],
    ['[…]', (inner: string) => `[${inner}]`],
  ])('of %s costs what it is deep', (_name, wrap) => {
    const expression = Array.from({ length: 45 }).reduce<string>(wrap, 'b');
    const rule = compileRule(`SELECT ${expression} AS r FROM 'dt/#'`);
    const started = performance.now();
    explain(rule, messageOf({ a: 1 }), ENV);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('evaluation', () => {
  it('never throws, and writes JSON', () => {
    fc.assert(
      fc.property(EXPRESSIONS, PAYLOADS, (expression, payload) => {
        const rule = attempt(() =>
          compileRule(`SELECT ${expression} AS r, * FROM 'dt/#' WHERE ${expression} = 1 OR true`),
        );
        if (!isRule(rule)) return;
        const message = messageOf(payload);
        const outcome = rule.evaluate(message, ENV);
        if (!outcome.matched) expect(outcome.why).toContain('WHERE');
        else JSON.parse(Buffer.from(outcome.payload).toString());
        explain(rule, message, ENV);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives the same for the same message', () => {
    fc.assert(
      fc.property(EXPRESSIONS, PAYLOADS, (expression, payload) => {
        const rule = attempt(() => compileRule(`SELECT ${expression} AS r FROM 'dt/#'`));
        if (!isRule(rule)) return;
        const [first, second] = [messageOf(payload), messageOf(payload)];
        expect(rule.evaluate(first, ENV)).toEqual(rule.evaluate(second, ENV));
      }),
      { numRuns: 300 },
    );
  });

  it('takes the time of its payload, not of its square', () => {
    const list = (size: number): Uint8Array =>
      Buffer.from(JSON.stringify({ list: Array.from({ length: size }, (_, v) => ({ v })) }));
    const rule = compileRule(
      "SET @l = list SELECT (SELECT VALUE (SELECT VALUE v FROM @l) FROM list) AS all FROM 'dt/#'",
    );
    const started = performance.now();
    rule.evaluate(messageOf(list(12_000)), ENV);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each([
    ["replace(x, 'a', x)"],
    ["replace(x, '', x)"],
    ["regexp_replace(x, 'a', x)"],
    ["regexp_replace(x, '(a+)', '$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1')"],
    ['x + x + x + x + x + x + x + x + x + x'],
    ['concat(x, x, x, x, x, x, x, x, x, x)'],
  ])('makes no more than a megabyte of text: %s', (expression) => {
    const rule = compileRule(`SELECT VALUE ${expression} FROM 'dt/#'`);
    const outcome = rule.evaluate(messageOf({ x: 'a'.repeat(120_000) }), ENV);
    expect(outcome).toMatchObject({ matched: true, value: undefined });
  });

  it.each([
    ['padding alone', "decode(x, 'base64')", '='.repeat(120_000)],
    ['blanks', 'trim(x)', `${' '.repeat(60_000)}x${' '.repeat(60_000)}x`],
    ['digits', 'abs(x)', '9'.repeat(120_000)],
    ['an exponent', 'abs(x) + 1', `1E${'9'.repeat(20)}`],
    ['a time pattern', 'parse_time(x, 0)', 'za'.repeat(60_000)],
    ['an open quote', "time_to_epoch('x', x)", "'a".repeat(60_000)],
    ['brackets', "decode(encode(x, 'base64'), 'base64')", '['.repeat(120_000)],
    ['backslashes', "decode(encode(x, 'base64'), 'base64')", `"${'\\'.repeat(120_000)}`],
  ])('is quick with 120,000 characters of %s', (_name, expression, x) => {
    const rule = compileRule(`SELECT VALUE ${expression} FROM 'dt/#'`);
    const started = performance.now();
    rule.evaluate(messageOf({ x }), ENV);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('knows every function that is no method of an object', () => {
    expect(Object.keys(FUNCTIONS)).not.toContain('constructor');
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(() => compileRule(`SELECT ${name}(1) AS a FROM 'x'`)).toThrow(SqlSyntaxError);
    }
  });
});
