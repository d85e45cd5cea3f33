import { beforeEach, describe, expect, it } from '@jest/globals';
import { main } from '../../commands/main.ts';

let said = { out: '', err: '' };
beforeEach(() => {
  said = { out: '', err: '' };
});
const run = (...args: readonly string[]) =>
  main(['anomalies', ...args], {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });

describe('npm run anomalies', () => {
  it.each([
    { args: ['paint'], says: "There is no 'paint'; there are list, show, ack, mute, settings" },
    { args: ['show'], says: 'show wants an id; list shows them.' },
    {
      args: ['ack', 'sensor-3'],
      says: "'sensor-3' is no id of an anomaly; list shows them: <thing>/",
    },
    {
      args: ['list', 'a/b/value/k'],
      says: 'list takes options only; show a/b/value/k explains one.',
    },
    { args: ['show', 'a/b/value/k', 'c'], says: "One at a time, so what is 'c'?" },
    { args: ['list', '--state', 'ajar'], says: '--state wants open or closed, not ajar.' },
    { args: ['list', '--limit', '0'], says: '--limit wants a whole number from 1, not 0.' },
    {
      args: ['list', '--thing', 'a b'],
      says: '--thing wants 1 to 64 of A-Z a-z 0-9 _ and -, not a b.',
    },
    { args: ['set'], says: 'set wants a JSON file; settings prints one.' },
    { args: ['settings'], says: 'Of which fleet? settings wants --fleet.' },
    { args: ['mute', '--fleet', 'f', '--metric', ''], says: '--metric wants the name of a metric' },
    { args: ['mute'], says: 'What is to be muted? An id of an anomaly, or --fleet' },
    {
      args: ['mute', 'a//silence/k', '--for', 'ever'],
      says: '--for wants 30m, 8h or 7d, not ever.',
    },
    { args: ['mute', '--fleet', 'demo', '--for', '1w'], says: '--for wants' },
  ])('$args is called wrongly, and says what would be right', async ({ args, says }) => {
    expect(await run(...args)).toBe(2);
    expect(said.err).toContain(says);
  });

  it('explains itself with --help', async () => {
    expect(await run('--help')).toBe(0);
    expect(said.out).toMatch(/npm run anomalies -- .*show <id>.*--for <time>/s);
  });
});
