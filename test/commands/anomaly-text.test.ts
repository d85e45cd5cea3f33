import { describe, expect, it } from '@jest/globals';
import { evidenceOf, summaryOf } from '../../commands/anomaly-text.ts';
import { createNews } from '../../commands/anomaly-watch.ts';
import type { AnomalyRecord } from '../../shared/core/detection/anomaly-record.ts';

const OPENED = Date.UTC(2026, 10, 22, 13, 0, 30);
const SECOND_MS = 1000;

const record = (changes: Partial<AnomalyRecord> = {}): AnomalyRecord => ({
  v: 1,
  id: 'sensor-3/temperature/value/mubbs7i8',
  state: 'open',
  thing: 'sensor-3',
  fleet: 'demo',
  metric: 'temperature',
  sentence: 'temperature of sensor-3 reads 31 Cel.',
  finder: 'value',
  kind: 'spike',
  version: 1,
  openedAtMs: OPENED,
  lastAtMs: OPENED,
  score: 0.934,
  direction: 'above',
  observed: 31,
  expected: 21,
  low: 20,
  high: 22,
  unit: 'Cel',
  basis: 'all readings',
  points: [{ atMs: OPENED, value: 31 }],
  readings: 1,
  level: 21,
  spread: 0.3,
  ...changes,
});

const READINGS = Array.from({ length: 30 }, (_, at) => ({
  atMs: OPENED - (30 - at) * SECOND_MS,
  value: 21 + (at % 2) / 2,
}));

it('breaks a sentence between words where the screen ends', () => {
  const [, ...lines] = summaryOf(record(), 24).trimEnd().split('\n');
  expect(lines).toEqual(['    temperature of', '    sensor-3 reads 31', '    Cel.']);
});

it('sums up in two lines', () => {
  expect(summaryOf(record(), 80)).toBe(
    '2026-11-22 13:00:30Z  open          spike           sensor-3/temperature/value/mubbs7i8\n' +
      '    temperature of sensor-3 reads 31 Cel.\n',
  );
  expect(summaryOf(record({ acknowledgedBy: 'ada', state: 'closed' }), 80)).toContain(
    'closed, seen',
  );
});

it('shows the sentence, what was seen and expected, and a drawing within the columns of the screen', () => {
  const text = evidenceOf(record(), READINGS, 60);
  expect(text).toBe(`temperature of sensor-3 reads 31 Cel.

  id        sensor-3/temperature/value/mubbs7i8
  kind      spike, score 0.93
  since     2026-11-22 13:00:30Z
  state     open
  seen      by nobody yet: npm run anomalies -- ack sensor-3/temperature/value/mubbs7i8
  observed  31 Cel
  expected  21 Cel
  band      20 to 22 Cel, by all readings

  31 │                                                     ●
     │
     │
     │
     │
     │
     │
  22 │·┄·┄··┄·┄·┄··┄·┄·┄··┄·┄·┄·┄··┄·┄·┄··┄·┄·┄··┄·┄·┄··┄·┄┄
  20 │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
     └──────────────────────────────────────────────────────
      13:00:00                                      13:00:30
`);
});

it('lets no text of a device act on the terminal', () => {
  const unit = '\u001b[2J\u009b\u202e';
  const hostile = record({ unit, sentence: `reads 31 ${unit}\r.` });
  for (const text of [summaryOf(hostile, 80), evidenceOf(hostile, READINGS, 60)]) {
    expect(text).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect(text).toContain('reads 31 �[2J���.');
  }
});

describe('evidence', () => {
  it('tells who has seen it, and when it was over', () => {
    const text = evidenceOf(
      record({
        state: 'closed',
        closedAtMs: OPENED + 40 * SECOND_MS,
        acknowledgedBy: 'ada',
        acknowledgedAtMs: OPENED + 60 * SECOND_MS,
      }),
      READINGS,
      80,
    );
    expect(text).toContain('state     over since 2026-11-22 13:01:10Z, after 40 s\n');
    expect(text).toContain('seen      by ada, 2026-11-22 13:01:30Z\n');
  });

  it.each<Partial<AnomalyRecord>>([
    { kind: 'stuck value', detail: '13' },
    { kind: 'rate of change', detail: '70' },
    { kind: 'noise change', basis: 'noise' },
  ])('of a $kind draws no band, as its edges are none of values', (changes) => {
    const text = evidenceOf(record(changes), READINGS, 80);
    expect(text).not.toMatch(/band|┄/);
    expect(text).toContain('●');
  });

  it.each<Partial<AnomalyRecord>>([
    { kind: 'silent device', observed: 300_000 },
    { kind: 'clock jump', observed: -10_800_000 },
    { kind: 'two connections', observed: 4 },
  ])('of a $kind shows neither values nor a drawing', ({ ...changes }) => {
    const { metric: _none, ...device } = record(changes);
    expect(evidenceOf(device, [], 80)).not.toMatch(/observed|band|│/);
  });
});

describe('news', () => {
  const why = 'Why: npm run anomalies -- show sensor-3/temperature/value/mubbs7i8';
  const over = record({ version: 2, state: 'closed', closedAtMs: OPENED + 40 * SECOND_MS });

  it('tells of a version once, whatever is told again or late', () => {
    const news = createNews();
    const [first, second] = [record(), record({ version: 2, kind: 'level shift' })];
    expect(news.take(first)).toEqual({
      label: 'ANOMALY',
      lines: ['temperature of sensor-3 reads 31 Cel.', why],
    });
    expect(news.take(first)).toBeUndefined();
    expect(news.take(second)?.lines[0]).toMatch(/^By now a level shift: /);
    expect(news.take(first)).toBeUndefined();
  });

  it('counts what is open, and says how long it was', () => {
    const news = createNews();
    news.take(record());
    news.take(record({ id: 'sensor-4/temperature/value/mubbs7i8' }));
    expect(news.open()).toBe(2);
    expect(news.take(over)).toEqual({
      label: 'over',
      lines: ['The spike of temperature of sensor-3, after 40 s.'],
    });
    expect(news.open()).toBe(1);
  });

  it('says what it was of what it hears of when it is over', () => {
    expect(createNews().take(over)).toMatchObject({ label: 'over', lines: [over.sentence, why] });
  });
});
