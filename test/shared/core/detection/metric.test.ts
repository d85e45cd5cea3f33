import { describe, expect, it } from '@jest/globals';
import { gaussian, seeded } from '../../../../local/fleet/random.ts';
import {
  type MetricState,
  newMetric,
  type Observation,
  observe,
  observeAll,
} from '../../../../shared/core/detection/metric.ts';
import type { MetricOptions } from '../../../../shared/core/detection/options.ts';
import { ALARM_SCORE } from '../../../../shared/core/detection/score.ts';
import { WARM_UP_READINGS } from '../../../../shared/core/detection/track.ts';

const BEGIN_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;

const series = (count: number, valueAt: (index: number) => number | boolean, from = 0) =>
  Array.from(
    { length: count },
    (_, index): Observation => ({
      atMs: BEGIN_MS + (from + index) * 5 * MINUTE_MS,
      value: valueAt(from + index),
    }),
  );

const noisy = (level: number, spread: number, seed = 1) => {
  const random = seeded(seed);
  return () => level + spread * gaussian(random);
};

const learned = (count = 2000, options?: MetricOptions): MetricState =>
  observeAll(newMetric(options), series(count, noisy(20, 0.5)), options).state;

const opened = (
  verdicts: readonly { reports: readonly { change: string; anomaly: { kind: string } }[] }[],
) =>
  verdicts.flatMap(({ reports }) => reports).map(({ change, anomaly }) => [change, anomaly.kind]);

it('says nothing in its warm-up', () => {
  const { verdicts } = observeAll(
    newMetric(),
    series(WARM_UP_READINGS - 1, (at) => at ** 3 % 17),
  );
  expect(verdicts.every(({ score, standing }) => score === 0 && standing === 'warming up')).toBe(
    true,
  );
});

it('leaves the state it is given as it was', () => {
  const state = learned(100);
  const before = structuredClone(state);
  observe(state, { atMs: BEGIN_MS + 101 * 5 * MINUTE_MS, value: 1e6 });
  expect(state).toEqual(before);
});

it('opens one incident for one spike, and closes it', () => {
  const values = series(40, (at) => (at === 2005 ? 30 : 20 + (at % 5) / 10), 2000);
  const { verdicts } = observeAll(learned(), values);
  expect(opened(verdicts)).toEqual([
    ['opens', 'spike'],
    ['closes', 'spike'],
  ]);
});

it('says what it saw, what it expected, and since when', () => {
  const { verdict } = observe(learned(), {
    atMs: BEGIN_MS + 2000 * 5 * MINUTE_MS,
    value: 30,
    unit: 'Cel',
  });
  expect(verdict.score).toBeGreaterThan(0.9);
  expect(verdict.reports).toMatchObject([
    {
      change: 'opens',
      anomaly: {
        observed: 30,
        direction: 'above',
        unit: 'Cel',
        version: 1,
        openedAtMs: BEGIN_MS + 2000 * 5 * MINUTE_MS,
      },
    },
  ]);
  const anomaly = verdict.reports[0]?.anomaly;
  expect(Math.abs((anomaly?.expected ?? 0) - 20)).toBeLessThan(1.5);
  expect(anomaly?.high).toBeLessThan(23);
  expect(anomaly?.low).toBeGreaterThan(17);
});

it('names a lasting change a level shift, and is quiet again at the new level', () => {
  const { verdicts } = observeAll(learned(), series(600, noisy(26, 0.5, 2), 2000));
  const told = opened(verdicts);
  expect(told.slice(0, 2)).toEqual([
    ['opens', expect.any(String)],
    ['continues', 'level shift'],
  ]);
  expect(told.filter(([change]) => change === 'opens').length).toBeLessThanOrEqual(3);
  expect(told.at(-1)?.[0]).toBe('closes');
  const scores = verdicts.slice(150).map(({ score }) => score);
  expect(scores.filter((score) => score >= ALARM_SCORE)).toHaveLength(0);
});

it('does not learn a spike: the same comes again and is found again', () => {
  const spikes = series(900, (at) => (at % 300 === 299 ? 40 : 20 + (at % 7) / 10), 2000);
  const found = opened(observeAll(learned(), spikes).verdicts).filter(
    ([change]) => change === 'opens',
  );
  expect(found.length).toBeGreaterThanOrEqual(2);
});

it.each([
  { name: 'a constant', valueAt: () => 20 },
  { name: 'zeros', valueAt: () => 0 },
  { name: 'a daily rhythm', valueAt: (at: number) => 20 + 5 * Math.sin((2 * Math.PI * at) / 288) },
  { name: 'two setpoints in turn', valueAt: (at: number) => (at % 24 < 12 ? 18 : 21) },
  { name: 'a counter', valueAt: (at: number) => 3 * at },
])('says nothing of $name once a day of it was seen', ({ valueAt }) => {
  const { verdicts } = observeAll(newMetric(), series(4000, valueAt));
  expect(opened(verdicts.slice(288))).toEqual([]);
});

it('finds a sensor stuck that never before read the same twice', () => {
  const { verdicts } = observeAll(
    learned(),
    series(40, () => 20.25, 2000),
  );
  expect(opened(verdicts)).toEqual([['opens', 'stuck value']]);
  const first = verdicts.findIndex(({ reports }) => reports.length > 0);
  expect(first).toBeLessThanOrEqual(13);
});

it('finds a value wrong at its hour though it is usual at others', () => {
  const rhythm = (at: number) => 20 + 5 * Math.sin((2 * Math.PI * at) / 288) + ((at * 7) % 11) / 50;
  const { state } = observeAll(newMetric(), series(14 * 288, rhythm));
  const { verdicts } = observeAll(
    state,
    series(4, (at) => rhythm(at + 144), 14 * 288 + 70),
  );
  expect(verdicts[0]?.reports).toMatchObject([
    { change: 'opens', anomaly: { basis: expect.stringMatching(/this hour/), direction: 'below' } },
  ]);
});

describe('what arrives oddly', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'survives %p',
    (value) => {
      const state = learned(100);
      const atMs = BEGIN_MS + 101 * 5 * MINUTE_MS;
      const outcome = observe(state, { atMs, value });
      expect(outcome.verdict.standing).toBe('unreadable');
      expect(outcome.state).toEqual(state);
    },
  );

  it('takes a repeated reading once', () => {
    const again: Observation = { atMs: BEGIN_MS + 101 * 5 * MINUTE_MS, value: 20.25 };
    const { state } = observe(learned(100), again);
    const outcome = observe(state, again);
    expect(outcome.verdict.standing).toBe('repeated');
    expect(outcome.state).toEqual(state);
  });

  it('does not learn late readings, but checks their range', () => {
    const options = { range: { high: 50 } };
    const state = learned(100, options);
    const atMs = BEGIN_MS + 90 * 5 * MINUTE_MS;
    const outcome = observe(state, { atMs, value: 99 }, options);
    expect(outcome.verdict).toMatchObject({
      standing: 'late',
      reports: [{ anomaly: { kind: 'out of range' } }],
    });
    expect(outcome.state.track).toEqual(state.track);
  });

  it('takes no gap for an anomaly', () => {
    const after = series(50, (at) => 20 + (at % 5) / 10, 2000 + 40 * 288);
    expect(opened(observeAll(learned(), after).verdicts)).toEqual([]);
  });

  it('watches irregular readings as well', () => {
    const random = seeded(4);
    const value = noisy(20, 0.5, 6);
    let atMs = BEGIN_MS;
    const values = Array.from({ length: 1500 }, (): Observation => {
      atMs += -Math.log(1 - random()) * 10 * MINUTE_MS;
      return { atMs, value: value() };
    });
    const { state, verdicts } = observeAll(newMetric(), values);
    expect(opened(verdicts).length).toBeLessThanOrEqual(8);
    const { verdict } = observe(state, { atMs: atMs + MINUTE_MS, value: 35 });
    expect(verdict.reports).toMatchObject([{ change: 'opens' }]);
  });

  it('does the same work for readings in any order within a batch', () => {
    const values = series(300, noisy(20, 0.5, 7));
    const shuffled = values.toSorted(
      (one, other) => ((one.atMs * 7919) % 101) - ((other.atMs * 7919) % 101),
    );
    expect(observeAll(newMetric(), shuffled).state).toEqual(observeAll(newMetric(), values).state);
  });

  it('is the same for every scale and origin of unit', () => {
    const value = noisy(20, 0.5, 8);
    const base = series(1500, (at) => (at === 1400 ? 27 : value()));
    const scaled = base.map(({ atMs, value: number }) => ({ atMs, value: Number(number) * 1024 }));
    const scores = (list: readonly Observation[]) =>
      observeAll(newMetric(), list).verdicts.map(({ score }) => score);
    expect(scores(scaled)).toEqual(scores(base));
  });
});

describe('a counter', () => {
  const counted = (count: number, stepAt: (index: number) => number) => {
    let total = 1e6;
    return series(count, (at) => {
      total += stepAt(at);
      return total;
    });
  };
  const traffic = (at: number) => 100 + ((at * 7) % 20);

  it('is known as such after its warm-up, and watched by its rate', () => {
    const { state, verdicts } = observeAll(
      newMetric(),
      counted(1000, (at) => (at === 900 ? 2000 : traffic(at))),
    );
    expect(state.track.kind).toBe('counter');
    expect(opened(verdicts)[0]).toEqual(['opens', 'spike']);
  });

  it('may begin anew at zero', () => {
    const { state } = observeAll(newMetric(), counted(1000, traffic));
    let total = 0;
    const { verdicts } = observeAll(
      state,
      series(30, (at) => (total += traffic(at)), 1000),
    );
    expect(opened(verdicts)).toEqual([]);
  });
});

it('takes counts of an earlier time, which come late, for no reset', () => {
  const count = (at: number) => 1_000_000 + 100 * at + ((at * 7) % 20);
  const { state } = observeAll(newMetric(), series(1000, count));
  const live = observeAll(state, series(2, count, 1060));
  const backlog = observeAll(live.state, series(60, count, 1000));
  const after = observeAll(backlog.state, series(30, count, 1062));
  expect(opened([...live.verdicts, ...backlog.verdicts, ...after.verdicts])).toEqual([]);
});

describe('a boolean', () => {
  const door = (at: number) => at % 100 < 5;

  it('may change as it always did', () => {
    expect(opened(observeAll(newMetric(), series(3000, door)).verdicts)).toEqual([]);
  });

  it('is an anomaly when it stays for much longer than ever, until it changes', () => {
    const { state } = observeAll(newMetric(), series(3000, door));
    const open = observeAll(
      state,
      series(200, (at) => at < 3150, 3000),
    );
    expect(opened(open.verdicts)).toEqual([
      ['opens', 'stuck value'],
      ['closes', 'stuck value'],
    ]);
  });

  it('is an anomaly when it changes much more often than ever', () => {
    const { state } = observeAll(newMetric(), series(3000, door));
    const flapping = Array.from({ length: 120 }, (_, at) => ({
      atMs: BEGIN_MS + 3000 * 5 * MINUTE_MS + at * 10_000,
      value: at % 2 === 0,
    }));
    expect(opened(observeAll(state, flapping).verdicts)[0]).toEqual(['opens', 'noise change']);
  });
});

describe('what is configured', () => {
  it('reports nothing while muted, and learns', () => {
    const options = { mutedUntilMs: BEGIN_MS + 2001 * 5 * MINUTE_MS };
    const { state, verdict } = observe(
      learned(),
      { atMs: BEGIN_MS + 2000 * 5 * MINUTE_MS, value: 99 },
      options,
    );
    expect(verdict.reports).toEqual([]);
    expect(state.track.readings).toBe(2001);
  });

  it('minds only the direction that matters', () => {
    const atMs = BEGIN_MS + 2000 * 5 * MINUTE_MS;
    const below = observe(learned(), { atMs, value: 2 }, { direction: 'above' });
    const above = observe(learned(), { atMs, value: 40 }, { direction: 'above' });
    expect(opened([below.verdict])).toEqual([]);
    expect(opened([above.verdict])).toEqual([['opens', 'spike']]);
  });

  it('is less talkative where few false alarms are accepted', () => {
    const values = series(6000, noisy(20, 0.5, 11));
    const told = (falseAlarmsPerMonth: number) =>
      opened(observeAll(newMetric(), values, { falseAlarmsPerMonth }).verdicts).length;
    expect(told(0.1)).toBeLessThan(told(50));
  });

  it('holds a rule open until the value is back at its clearing point', () => {
    const options = { rules: [{ name: 'hot', above: 30, clear: 25, forMs: 10 * MINUTE_MS }] };
    const values = [20, 31, 20, 31, 31, 31, 27, 31, 24, 20];
    const { verdicts } = observeAll(
      newMetric(),
      series(10, (at) => values[at] ?? 0),
      options,
    );
    const told = verdicts.map(({ reports }) => reports.map(({ change }) => change)[0]);
    const nothing = undefined;
    expect(told).toEqual([
      nothing,
      nothing,
      nothing,
      nothing,
      nothing,
      'opens',
      nothing,
      nothing,
      'closes',
      nothing,
    ]);
  });

  it('knows what a unit cannot be', () => {
    const { verdict } = observe(newMetric(), { atMs: BEGIN_MS, value: -300, unit: 'Cel' });
    expect(verdict.reports).toMatchObject([{ anomaly: { kind: 'out of range', low: -273.15 } }]);
  });
});

it('takes a year in a minute: a hundred thousand readings in seconds, with the same little state', () => {
  const value = noisy(20, 0.5, 12);
  const began = process.cpuUsage();
  const { state } = observeAll(
    newMetric(),
    series(105_120, () => value()),
  );
  const { user } = process.cpuUsage(began);
  expect(state.track.readings).toBe(65_535);
  expect(state.incidents.length).toBeLessThanOrEqual(3);
  expect(user).toBeLessThan(20e6);
});
