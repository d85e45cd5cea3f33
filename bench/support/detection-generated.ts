import type { Fault } from '../../local/fleet/faults.ts';
import { scenario } from '../../local/fleet/scenario.ts';
import type { LabelledSet, Series } from './detection-sets.ts';

/** Faults that one series of numbers shows, without any setting. */
const SHOWN: readonly (Fault | undefined)[] = [
  'spike',
  'level-shift',
  'stuck',
  'noise',
  'unit',
  undefined,
];
const SEEDS = [11, 12, 13, 14, 15];

/** A labelled set of the project's own: simulated sensors, each with one fault or none. */
export const generatedSet = (): LabelledSet => ({
  name: 'generated',
  isNab: false,
  series: SHOWN.flatMap((fault) => SEEDS.map((seed) => seriesOf(seed, fault))),
});

function seriesOf(seed: number, fault: Fault | undefined): Series {
  const { readings, fromMs, untilMs } = scenario({ seed, fault });
  const times = Float64Array.from(readings, ({ observedAtMs }) => observedAtMs);
  const values = Float64Array.from(readings, ({ metrics }) => Number(metrics['value']));
  const first = times.findIndex((time) => time >= fromMs);
  const last = times.findLastIndex((time) => time < untilMs);
  return {
    path: `${fault ?? 'healthy'}/${seed}.csv`,
    category: fault ?? 'healthy',
    times,
    values,
    windows: fault === undefined ? [] : [[first, last]],
    from: 288,
  };
}
