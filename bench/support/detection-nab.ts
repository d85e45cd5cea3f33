import type { Series } from './detection-sets.ts';

/*
 * The score of the Numenta Anomaly Benchmark, after A. Lavin and S. Ahmad, "Evaluating Real-Time Anomaly Detection
 * Algorithms", 2015, sections II B and C: a window earns the worth of its first flagged row, which falls from 1 at its
 * beginning to 0 at its end; rows flagged elsewhere cost, less right behind a window; a window without any costs 1.
 * 0 is a detector that flags nothing, 100 one that flags the first row of each window and no other.
 */

export const PROFILES = {
  standard: { falseAlarm: 0.11, miss: 1 },
  lowFalsePositives: { falseAlarm: 0.22, miss: 1 },
} as const;
type Profile = (typeof PROFILES)[keyof typeof PROFILES];

/** A row that may be flagged: its window, or none; and what flagging it is worth. */
interface Row {
  readonly score: number;
  readonly window: number;
  readonly worth: number;
}

/** Sigmoid of Lavin and Ahmad's figure 4; 0 at a window's last row, -1 far behind. */
const sigmoid = (position: number): number =>
  position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;

const BEST = sigmoid(-1);

interface Rows {
  readonly rows: readonly Row[];
  /** Windows that can be found: not wholly within the rows for learning. */
  readonly open: number;
  readonly windows: number;
}

function rowsOf(series: Series, scores: Float64Array): Rows {
  const rows: Row[] = [];
  const open = new Set<number>();
  let before = -1;
  for (let at = 0; at < scores.length; at += 1) {
    const window = series.windows.findIndex(([first, last]) => at >= first && at <= last);
    if (window >= 0) before = window;
    if (at < series.from) continue;
    if (window >= 0) open.add(window);
    const [first, last] = series.windows[before] ?? [0, 0];
    const worth =
      window >= 0
        ? sigmoid(-(last - at + 1) / (last - first + 1)) / BEST
        : before < 0
          ? -1
          : sigmoid((at - last) / (last - first));
    rows.push({ score: scores[at] ?? 0, window, worth });
  }
  return { rows, open: open.size, windows: series.windows.length };
}

export interface Scored {
  readonly series: Series;
  readonly rows: Rows;
}

export const prepare = (series: readonly Series[], scores: readonly Float64Array[]): Scored[] =>
  series.map((one, at) => ({ series: one, rows: rowsOf(one, scores[at] ?? new Float64Array()) }));

interface Sum {
  raw: number;
  silent: number;
  perfect: number;
}

function sumAt(list: readonly Scored[], threshold: number, { falseAlarm, miss }: Profile): Sum {
  const sum: Sum = { raw: 0, silent: 0, perfect: 0 };
  for (const { rows } of list) {
    const best = new Map<number, number>();
    for (const { score, window, worth } of rows.rows) {
      if (score < threshold) continue;
      if (window < 0) sum.raw += falseAlarm * worth;
      else best.set(window, Math.max(best.get(window) ?? -miss, worth));
    }
    for (const worth of best.values()) sum.raw += worth;
    sum.raw -= miss * (rows.open - best.size);
    sum.silent -= miss * rows.open;
    sum.perfect += rows.windows;
  }
  return sum;
}

const normal = ({ raw, silent, perfect }: Sum): number =>
  (100 * (raw - silent)) / (perfect - silent);

export const nabScore = (list: readonly Scored[], threshold: number, profile: Profile): number =>
  normal(sumAt(list, threshold, profile));

/** The threshold with the highest score, found by taking in rows from the highest score down, equals together. */
export function bestThreshold(list: readonly Scored[], { falseAlarm, miss }: Profile): number {
  const rows = list
    .flatMap(({ rows: { rows } }, series) => rows.map((row) => ({ ...row, series })))
    .toSorted((one, other) => other.score - one.score);
  const held = new Map<string, number>();
  let total = 0;
  let best = { threshold: Number.POSITIVE_INFINITY, total };
  rows.forEach(({ score, window, worth, series }, at) => {
    if (window < 0) total += falseAlarm * worth;
    else {
      const key = `${series} ${window}`;
      const had = held.get(key) ?? -miss;
      total += Math.max(0, worth - had);
      held.set(key, Math.max(had, worth));
    }
    if (rows[at + 1]?.score !== score && total > best.total) best = { threshold: score, total };
  });
  return best.threshold;
}

/** Each category scored with the threshold that is best on all others. */
export function crossValidated(list: readonly Scored[], profile: Profile): number {
  const sum: Sum = { raw: 0, silent: 0, perfect: 0 };
  for (const category of new Set(list.map(({ series }) => series.category))) {
    const others = list.filter(({ series }) => series.category !== category);
    const own = list.filter(({ series }) => series.category === category);
    const { raw, silent, perfect } = sumAt(own, bestThreshold(others, profile), profile);
    sum.raw += raw;
    sum.silent += silent;
    sum.perfect += perfect;
  }
  return normal(sum);
}
