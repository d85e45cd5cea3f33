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

  it('says why WHERE was false', () => {
    const outcome = evaluate(
      "SELECT * FROM 'dt/#' WHERE temperature > 30",
      messageOf({ temperature: 21 }),
    );
    expect(outcome).toEqual({
      matched: false,
      why: 'WHERE temperature > 30 was false: temperature = 21',
    });
  });
});
