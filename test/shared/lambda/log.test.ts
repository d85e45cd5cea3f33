import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLog, type Level } from '../../../shared/lambda/log.ts';
import { logFaults } from '../../../shared/lambda/log-faults.ts';

function setup(least: Level = 'info') {
  const lines: string[] = [];
  return {
    lines,
    log: createLog(
      least,
      (line) => lines.push(line),
      () => 0,
    ),
  };
}

describe('the log', () => {
  it('writes one object of JSON a line', () => {
    const { lines, log } = setup();
    log('warn', 'record rejected', { code: 'MALFORMED_PAYLOAD', at: 3 });
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"record rejected","code":"MALFORMED_PAYLOAD","at":3}\n',
    ]);
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = setup('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log(level, level);
    expect(lines).toHaveLength(2);
  });

  it('cannot have its lines broken, hidden or forged by any text', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(
        '\n',
        '\r',
        '\u001b[2J',
        '\u2028',
        '\u202e',
        '\u0085',
        '\ud800',
        '"',
        '\\',
        'a',
      ),
    });
    fc.assert(
      fc.property(hostile, (text) => {
        const { lines, log } = setup();
        log('info', text, { [text]: text });
        expect(lines).toHaveLength(1);
        const [line = ''] = lines;
        expect(line).toMatch(/^[\x20-\x7e]*\n$/);
        expect(JSON.parse(line)).toMatchObject({
          message: text.toWellFormed() === text ? text : expect.anything(),
        });
      }),
    );
  });

  it('shows an error by name, message and stack, and a long text by its beginning', () => {
    const { lines, log } = setup();
    log('error', 'failed', { error: new TypeError('ours'), long: 'x'.repeat(5_000) });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      error: { name: 'TypeError', message: 'ours', stack: expect.stringContaining('log.test.ts') },
      long: `${'x'.repeat(2_048)}…`,
    });
  });

  it('says what it can when a field cannot be written', () => {
    const { lines, log } = setup();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    log('error', 'failed', { cycle, big: 1n });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message: 'failed', unloggable: true });
  });

  it('says what escaped a handler', () => {
    const { lines, log } = setup();
    logFaults(log).onError({ error: new Error('throttled') });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      message: 'invocation failed',
      error: { message: 'throttled' },
    });
  });
});
