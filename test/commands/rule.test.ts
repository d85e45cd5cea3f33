import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { main } from '../../commands/main.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function fileWith(content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'rule-'));
  folders.push(folder);
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return file;
}

async function run(...args: string[]) {
  let [out, err] = ['', ''];
  const code = await main(['rule', ...args], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

const test = (sql: string, payload: string, ...more: string[]) =>
  run('--sql', sql, '--topic', 'dt/acme/probe-1', '--payload', payload, ...more);

describe('npm run rule', () => {
  it('prints the outgoing payload of a statement that matches', async () => {
    const { code, out } = await test("SELECT a, topic(3) AS thing FROM 'dt/#'", '{"a":1}');
    expect(code).toBe(0);
    expect(out).toBe('statement  matches\n  payload  {"a":1,"thing":"probe-1"}\n');
  });

  it.each([
    {
      sql: "SELECT * FROM 'dt/#' WHERE t > 30",
      says: 'does not match: WHERE t > 30 was false: t = 21',
    },
    { sql: "SELECT * FROM 'cmd/#'", says: "topic 'dt/acme/probe-1' is not in FROM 'cmd/#'" },
  ])('says why $sql does not match, and exits with 1', async ({ sql, says }) => {
    const { code, out } = await test(sql, '{"t":21}');
    expect(code).toBe(1);
    expect(out).toContain(says);
  });

  it('says why a value is Undefined', async () => {
    const { out } = await test("SELECT a.b + 1 AS c FROM 'dt/#'", '{"a":{}}');
    expect(out).toContain('Undefined  a.b + 1: no result of + for Undefined');
    expect(out).toContain('no field b in Object {}');
  });

  it('explains step by step', async () => {
    const { out } = await test("SELECT a * 2 AS b FROM 'dt/#'", '{"a":3}', '--explain');
    expect(out).toMatch(/SELECT {2}1:8 {5}a = 3 {2}\(Int\)\n.*1:8 {5}a \* 2 = 6 {2}\(Int\)/);
  });

  it('reads bytes from a file, and prints data where asked', async () => {
    const file = fileWith(Uint8Array.of(0, 255));
    const { out } = await test("SELECT * FROM 'dt/#'", `@${file}`, '--json');
    expect(JSON.parse(out)).toMatchObject([
      { rule: 'statement', matched: true, binary: true, payload: { base64: 'AP8=' } },
    ]);
  });

  it('sees who sends, and when', async () => {
    const { out } = await test(
      "SELECT clientid() AS c, principal() AS p, sourceip() AS i, traceid() AS t, timestamp() AS at FROM 'dt/#'",
      '{}',
      ...['--client-id', 'c1', '--principal', 'p1', '--source-ip', '192.0.2.1'],
      ...['--trace-id', 't1', '--at', '2026-01-01T00:00:00Z', '--json'],
    );
    expect(JSON.parse(out)[0].payload).toEqual({
      c: 'c1',
      p: 'p1',
      i: '192.0.2.1',
      t: 't1',
      at: Date.UTC(2026, 0, 1),
    });
  });

  it('asks the answers that are given in the place of a service', async () => {
    const sql =
      "SELECT get_thing_shadow(topic(3), 'arn:aws:iam::000000000000:role/r').on AS on1 FROM 'dt/#'";
    const { out } = await test(sql, '{}', '--answer', 'get_thing_shadow={"on":true}');
    expect(out).toContain('{"on1":true}');
    const without = await test(sql, '{}');
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining('get_thing_shadow') });
  });

  it('exits with 1 for a statement that is none, and says where', async () => {
    const { code, err } = await test("SELECT * FORM 'dt/#'", '{}');
    expect(code).toBe(1);
    expect(err).toMatch(/^line 1, column 10: expected/);
  });

  it.each([
    { args: [], says: 'On which topic?' },
    { args: ['--topic', 'a'], says: 'With what payload?' },
    { args: ['a', 'b', '--topic', 'a', '--payload', '{}'], says: 'One rule at a time' },
    { args: ['a', '--sql', 'x', '--topic', 'a', '--payload', '{}'], says: 'not both' },
    { args: ['--sql', 'x', '--topic', 'a', '--payload', '@/nowhere'], says: 'There is no file' },
    { args: ['--sql', 'x', '--topic', 'a', '--payload', '', '--at', 'noon'], says: '--at wants' },
    { args: ['--sql', 'x', '--topic', 'a', '--payload', '', '--answer', 'x'], says: '--answer' },
  ])('exits with 2 for $args', async ({ args, says }) => {
    expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringContaining(says) });
  });
});

describe('npm run rule -- --vectors', () => {
  const vector = { id: 'one', sql: "SELECT a FROM 'dt/#'", topic: 'dt/x', payload: { a: 1 } };

  it('passes a file of which every vector passes', async () => {
    const file = fileWith(JSON.stringify({ vectors: [{ ...vector, expected: { a: 1 } }] }));
    expect(await run('--vectors', file)).toMatchObject({ code: 0, out: '1 passed, 0 failed\n' });
  });

  it('prints what was expected, and what came, and exits with 1', async () => {
    const file = fileWith(JSON.stringify({ vectors: [{ ...vector, expected: { a: 2 } }] }));
    const { code, out } = await run('--vectors', file);
    expect(code).toBe(1);
    expect(out).toBe(
      `one  ${vector.sql}\n  expected  {"a":2}\n  actual    {"a":1}\n0 passed, 1 failed\n`,
    );
    const asData = await run('--vectors', file, '--json');
    expect(JSON.parse(asData.out)).toEqual({
      passed: [],
      failed: [{ id: 'one', sql: vector.sql, expected: { a: 2 }, actual: { a: 1 } }],
    });
  });

  it.each(['no JSON', '{}', '{"vectors":[{}]}'])('exits with 2 for a file of %s', async (text) => {
    expect(await run('--vectors', fileWith(text))).toMatchObject({ code: 2 });
  });
});
