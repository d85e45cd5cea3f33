import { describe, expect, it } from '@jest/globals';
import {
  compileRule,
  type RuleOutcome,
  type SqlMessage,
} from '../../../../local/core/sql/index.ts';
import { ENV, messageOf } from './support.ts';

const evaluate = (sql: string, message: SqlMessage): RuleOutcome =>
  compileRule(sql).evaluate(message, ENV);

/** What goes out, as text. */
const out = (sql: string, message: SqlMessage): string => {
  const outcome = evaluate(sql, message);
  return outcome.matched ? Buffer.from(outcome.payload).toString() : `not matched: ${outcome.why}`;
};

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('a rule', () => {
  it('carries the raw payload in base64 beside what the connection tells', () => {
    const sql =
      "SELECT 1 AS v, 'telemetry' AS source, encode(*, 'base64') AS data, topic() AS topic, principal() AS principal, clientid() AS clientId, sourceip() AS sourceIp, timestamp() AS receivedAtMs, traceid() AS traceId, newuuid() AS messageId FROM 'dt/#'";
    const message = messageOf(bytes(0xff, 0, 0x7b), {
      clientId: 'pump-7',
      principal: 'ab12',
      sourceIp: '198.51.100.7',
      traceId: '11111111-2222-3333-4444-555555555555',
    });
    expect(JSON.parse(out(sql, message))).toEqual({
      v: 1,
      source: 'telemetry',
      data: '/wB7',
      topic: 'dt/green/pump-7/telemetry',
      principal: 'ab12',
      clientId: 'pump-7',
      sourceIp: '198.51.100.7',
      receivedAtMs: 1_750_000_000_123,
      traceId: '11111111-2222-3333-4444-555555555555',
      messageId: '2c5ea4c0-4067-41e9-8bad-9b1deb4d3b7d',
    });
  });

  it('hands a payload that is not JSON on as it came', () => {
    const message = messageOf(bytes(1, 2, 0xff));
    expect(evaluate("SELECT * FROM 'dt/#'", message)).toMatchObject({
      matched: true,
      binary: true,
      payload: bytes(1, 2, 0xff),
      value: undefined,
    });
  });

  it('leaves out what is Undefined and writes whole decimals as integers', () => {
    const message = messageOf(Buffer.from('{"a":10.0,"b":null}'));
    expect(out("SELECT a, b, c FROM 'dt/#'", message)).toBe('{"a":10,"b":null}');
  });

  it('merges additions into a JSON object, and has them alone beside raw bytes', () => {
    const sql = "SELECT *, topic(3) AS thing FROM 'dt/#'";
    expect(out(sql, messageOf({ a: 1 }))).toBe('{"a":1,"thing":"pump-7"}');
    expect(out(sql, messageOf(bytes(0xff)))).toBe('{"thing":"pump-7"}');
  });

  it('does not change the payload that other rules see', () => {
    const message = messageOf({ pos: { lat: 1 } });
    expect(out("SELECT *, 2 AS pos.lat FROM 'dt/#'", message)).toBe('{"pos":{"lat":2}}');
    expect(out("SELECT * FROM 'dt/#'", message)).toBe('{"pos":{"lat":1}}');
  });

  it('never looks at a payload it does not name', () => {
    const { payload: _unused, ...rest } = messageOf({});
    const message: SqlMessage = {
      ...rest,
      get payload(): Uint8Array {
        throw new Error('looked at');
      },
    };
    const sql = "SELECT topic(3) AS thing FROM 'dt/#' WHERE topic(2) = 'green'";
    expect(out(sql, message)).toBe('{"thing":"pump-7"}');
    expect(() => out("SELECT a FROM 'dt/#'", message)).toThrow('looked at');
  });

  it('hands an Undefined VALUE out as nothing', () => {
    expect(out("SELECT VALUE nothing FROM 'dt/#'", messageOf({}))).toBe('');
  });

  it('gives the variables of SET to the templates of its actions', () => {
    const outcome = evaluate("SET @a = x, @b = y SELECT * FROM 'dt/#'", messageOf({ x: [1] }));
    expect(outcome).toMatchObject({ variables: { a: [1], b: undefined } });
  });

  it('makes a variable beyond 128 KiB Undefined', () => {
    const message = messageOf({ x: 'x'.repeat(100_000) });
    const sql = "SET @a = x, @b = x + x SELECT length(@a) AS a, length(@b) AS b FROM 'dt/#'";
    expect(out(sql, message)).toBe('{"a":100000}');
  });

  it('keeps __proto__ an ordinary key', () => {
    const message = messageOf(Buffer.from('{"__proto__":{"x":1},"a":2}'));
    expect(out("SELECT *, a AS b FROM 'dt/#'", message)).toBe('{"__proto__":{"x":1},"a":2,"b":2}');
    expect(out("SELECT x FROM 'dt/#'", message)).toBe('{}');
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});

describe('a payload', () => {
  it('with equal keys counts with the last', () => {
    expect(out("SELECT a FROM 'dt/#'", messageOf(Buffer.from('{"a":1,"a":2}')))).toBe('{"a":2}');
  });

  it('keeps the escape of a lone surrogate', () => {
    const message = messageOf(Buffer.from('{"a":"\\ud800"}'));
    expect(out("SELECT a FROM 'dt/#'", message)).toBe('{"a":"\\ud800"}');
  });

  it.each([
    ['nested 500 deep is JSON', 500, '{"a":1}'],
    ['nested 501 deep is not', 501, '{}'],
    ['nested 65,000 deep is not', 65_000, '{}'],
  ])('%s', (_name, depth, expected) => {
    const nested = '['.repeat(depth - 1) + ']'.repeat(depth - 1);
    const message = messageOf(Buffer.from(`{"deep":${nested},"a":1}`));
    expect(out("SELECT a FROM 'dt/#'", message)).toBe(expected);
  });

  it('that is not JSON passes SELECT * untouched, however deep', () => {
    const payload = Buffer.from('['.repeat(128 * 1024));
    expect(evaluate("SELECT * FROM 'dt/#'", messageOf(payload))).toMatchObject({ payload });
  });

  it.each([
    ['bytes that are not UTF-8', bytes(0x22, 0xff, 0x22)],
    ['half a document', Buffer.from('{"a":1')],
    ['nothing', bytes()],
    ['a comment', Buffer.from('{"a":1} // x')],
  ])('of %s has no fields', (_name, payload) => {
    expect(out("SELECT a, 1 AS b FROM 'dt/#'", messageOf(payload))).toBe('{"b":1}');
  });
});

describe('a rule that does not match', () => {
  const why = (where: string, payload: unknown): string => {
    const outcome = evaluate(`SELECT * FROM 'dt/#' WHERE ${where}`, messageOf(payload));
    return outcome.matched ? 'matched' : outcome.why;
  };

  it.each([
    ['temperature > 30', 'WHERE temperature > 30 was false: temperature = 21'],
    ['a.b = 1', 'WHERE a.b = 1 was Undefined: a.b = Undefined'],
    ['temperature', 'WHERE temperature was 21: temperature = 21'],
    ['false', 'WHERE false was false'],
    [
      "upper(site) = 'SOUTH' AND temperature > 1",
      'WHERE upper(site) = \'SOUTH\' AND temperature > 1 was false: site = "north", temperature = 21',
    ],
    ["topic(2) = 'blue'", 'WHERE topic(2) = \'blue\' was false: topic(2) = "green"'],
    [
      'isUndefined((SELECT VALUE v FROM list))',
      'WHERE isUndefined((SELECT VALUE v FROM list)) was false: (SELECT VALUE v FROM list) = [1]',
    ],
    [
      "CASE site WHEN 'north' THEN false END",
      'WHERE CASE site WHEN \'north\' THEN false END was false: site = "north"',
    ],
  ])('%s says why', (where, sentence) => {
    expect(why(where, { temperature: 21, site: 'north', list: [{ v: 1 }] })).toBe(sentence);
  });

  it('names topic and filter where FROM is the reason', () => {
    const outcome = evaluate("SELECT * FROM 'up/#'", messageOf({}));
    expect(outcome).toMatchObject({
      matched: false,
      why: "topic 'dt/green/pump-7/telemetry' is not in FROM 'up/#'",
    });
    expect(JSON.parse(JSON.stringify(outcome))).toEqual({
      matched: false,
      why: "topic 'dt/green/pump-7/telemetry' is not in FROM 'up/#'",
    });
  });
});
