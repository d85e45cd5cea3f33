import { describe, expect, it } from '@jest/globals';
import { found, KINDS_OF, run } from '../../../../bench/support/detection-run.ts';
import type { Fault } from '../../../../local/fleet/faults.ts';
import { scenario } from '../../../../local/fleet/scenario.ts';

const MINUTE_MS = 60_000;
const SEEDS = [1, 2, 3, 4, 5, 6];
/** A drift is told by days, everything else by readings. */
const daysOf = (fault: Fault): number => (fault === 'drift' ? 21 : 10);

const FALSE_ALARMS_PER_1000 = 1;

/** Within so many readings (of five minutes), in so many of six devices. */
const STATED: readonly { fault: Fault; readings: number; atLeast: number }[] = [
  { fault: 'spike', readings: 3, atLeast: 6 },
  { fault: 'level-shift', readings: 3, atLeast: 6 },
  { fault: 'drift', readings: 8 * 288, atLeast: 5 },
  { fault: 'stuck', readings: 60, atLeast: 5 },
  { fault: 'noise', readings: 12, atLeast: 6 },
  { fault: 'range', readings: 2, atLeast: 6 },
  { fault: 'rate', readings: 2, atLeast: 6 },
  { fault: 'unit', readings: 6, atLeast: 5 },
  { fault: 'missing-metric', readings: 15, atLeast: 6 },
  { fault: 'silent', readings: 12, atLeast: 6 },
  { fault: 'clock-jump', readings: 4, atLeast: 6 },
  { fault: 'clone', readings: 4, atLeast: 6 },
];

describe.each(STATED)('$fault', ({ fault, readings, atLeast }) => {
  const runs = SEEDS.map((seed) => {
    const made = scenario({ seed, fault, days: daysOf(fault) });
    return { made, told: run(made).told };
  });

  it(`is found within ${readings} readings`, () => {
    const intime = runs.filter(
      ({ made, told }) => found(made, told).delayMs <= readings * 5 * MINUTE_MS,
    );
    expect(intime.length).toBeGreaterThanOrEqual(atLeast);
    expect(KINDS_OF[fault]).toContain(intime[0] && found(intime[0].made, intime[0].told).kind);
  });

  it('brings few false alarms before it', () => {
    const alarms = runs.reduce((sum, { made, told }) => sum + found(made, told).falseAlarms, 0);
    const values = runs.reduce((sum, { made }) => sum + 2 * made.readings.length, 0);
    expect((1000 * alarms) / values).toBeLessThanOrEqual(FALSE_ALARMS_PER_1000);
  });
});

it('calls a level shift by its name once it lasts', () => {
  const made = scenario({ seed: 6, fault: 'level-shift' });
  const kinds = run(made)
    .told.filter(({ atMs }) => atMs >= made.fromMs)
    .map(({ anomaly }) => anomaly.kind);
  expect(kinds).toContain('level shift');
});
