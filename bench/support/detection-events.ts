import type { Series } from './detection-sets.ts';

/** A stretch counts as found up to so many rows behind its end. */
const SLACK_ROWS = 5;
/** Rows behind a false alarm in which others are the same one. */
const SAME_ALARM_ROWS = 30;

/** What a detector makes of labelled stretches at one threshold. */
export interface Events {
  readonly threshold: number;
  readonly events: number;
  readonly recall: number;
  readonly precision: number;
  readonly falseAlarmsPer10000: number;
  /** Rows from the beginning of a stretch to its first flag. */
  readonly medianDelay: number;
}

interface Tally {
  found: number;
  events: number;
  falseAlarms: number;
  rows: number;
  readonly delays: number[];
}

export function eventsAt(
  series: readonly Series[],
  scores: readonly Float64Array[],
  threshold: number,
): Events {
  const tally: Tally = { found: 0, events: 0, falseAlarms: 0, rows: 0, delays: [] };
  series.forEach((one, at) => {
    count(one, scores[at] ?? new Float64Array(), threshold, tally);
  });
  const { found, events, falseAlarms, rows, delays } = tally;
  delays.sort((one, other) => one - other);
  return {
    threshold,
    events,
    recall: found / Math.max(1, events),
    precision: found / Math.max(1, found + falseAlarms),
    falseAlarmsPer10000: (10_000 * falseAlarms) / Math.max(1, rows),
    medianDelay: delays[delays.length >> 1] ?? Number.NaN,
  };
}

function count(series: Series, scores: Float64Array, threshold: number, tally: Tally): void {
  const windows = series.windows.filter(([, last]) => last >= series.from);
  const found = new Set<number>();
  let quietUntil = -1;
  for (let at = series.from; at < scores.length; at += 1) {
    if (!((scores[at] ?? 0) >= threshold)) continue;
    let inside = false;
    windows.forEach(([first, last], window) => {
      if (at < first || at > last + SLACK_ROWS) return;
      inside = true;
      if (found.has(window)) return;
      found.add(window);
      tally.delays.push(Math.max(0, at - Math.max(first, series.from)));
    });
    if (inside || at <= quietUntil) continue;
    tally.falseAlarms += 1;
    quietUntil = at + SAME_ALARM_ROWS;
  }
  tally.found += found.size;
  tally.events += windows.length;
  tally.rows += scores.length - series.from;
}

/** The best recall at one threshold that costs at most so many false alarms in 10,000 rows. */
export function eventsWithin(
  series: readonly Series[],
  scores: readonly Float64Array[],
  falseAlarmsPer10000: number,
): Events {
  const all = Float64Array.from(scores.flatMap((list) => [...list])).sort();
  let best = eventsAt(series, scores, Number.POSITIVE_INFINITY);
  for (const threshold of quantiles(all)) {
    const events = eventsAt(series, scores, threshold);
    if (events.falseAlarmsPer10000 > 3 * falseAlarmsPer10000) break;
    if (events.falseAlarmsPer10000 <= falseAlarmsPer10000 && events.recall >= best.recall)
      best = events;
  }
  return best;
}

/** Scores of which 0.001 % to half are higher, evenly by the logarithm of that share, falling. */
function quantiles(sorted: Float64Array): readonly number[] {
  const shares = Array.from({ length: 300 }, (_, at) => 10 ** (-5 + (4.7 * at) / 299));
  const found = shares.map(
    (share) => sorted[Math.max(0, sorted.length - 1 - Math.floor(share * sorted.length))] ?? 0,
  );
  return [...new Set(found)];
}

const BUFFERS = [0, 20, 40, 60, 80, 100];
const THRESHOLDS = 60;

/**
 * VUS-PR: the area under the curve of precision and recall, where labels have soft shoulders, averaged over their
 * widths and then over the series (Paparrizos et al., "Volume Under the Surface", VLDB 2022).
 */
export function vusPr(series: readonly Series[], scores: readonly Float64Array[]): number {
  const volumes = series
    .map((one, at) => volumeOf(one, scores[at] ?? new Float64Array()))
    .filter((volume) => !Number.isNaN(volume));
  return volumes.reduce((sum, volume) => sum + volume, 0) / Math.max(1, volumes.length);
}

function volumeOf({ windows, from }: Series, scores: Float64Array): number {
  const own = scores.subarray(from);
  const labelled = windows
    .filter(([, last]) => last >= from)
    .map(([first, last]) => [Math.max(0, first - from), last - from] as const);
  if (labelled.length === 0 || own.length < 2) return Number.NaN;
  const order = Array.from(own.keys()).sort((one, other) => (own[other] ?? 0) - (own[one] ?? 0));
  const areas = BUFFERS.map((buffer) => areaOf(own, order, labelled, buffer));
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

function areaOf(
  scores: Float64Array,
  order: readonly number[],
  labelled: readonly (readonly [number, number])[],
  buffer: number,
): number {
  const { soft, owner, positives } = shoulders(scores.length, labelled, buffer);
  const found = new Set<number>();
  let taken = 0;
  let hits = 0;
  let area = 0;
  let recallBefore = 0;
  for (const threshold of thresholdsOf(scores, order)) {
    for (; taken < order.length; taken += 1) {
      const row = order[taken] ?? 0;
      if ((scores[row] ?? 0) < threshold) break;
      hits += soft[row] ?? 0;
      const window = owner[row] ?? -1;
      if (window >= 0) found.add(window);
    }
    const recall = Math.min(1, hits / positives) * (found.size / labelled.length);
    area += (recall - recallBefore) * (taken === 0 ? 1 : hits / taken);
    recallBefore = recall;
  }
  return area;
}

/** Labels that fall to nothing over half of the buffer on either side. */
function shoulders(
  rows: number,
  labelled: readonly (readonly [number, number])[],
  buffer: number,
): { soft: Float64Array; owner: Int32Array; positives: number } {
  const soft = new Float64Array(rows);
  const owner = new Int32Array(rows).fill(-1);
  let hard = 0;
  labelled.forEach(([first, last], window) => {
    hard += last - first + 1;
    const begin = Math.max(0, Math.ceil(first - buffer / 2));
    const end = Math.min(rows - 1, Math.floor(last + buffer / 2));
    for (let row = begin; row <= end; row += 1) {
      const away = Math.max(first - row, row - last, 0);
      const label = away === 0 ? 1 : Math.sqrt(Math.max(0, 1 - away / buffer));
      soft[row] = Math.min(1, (soft[row] ?? 0) + label);
      owner[row] = window;
    }
  });
  const sum = soft.reduce((total, label) => total + label, 0);
  return { soft, owner, positives: (hard + sum) / 2 };
}

function thresholdsOf(scores: Float64Array, order: readonly number[]): readonly number[] {
  const at = (level: number) =>
    Math.min(order.length, Math.max(1, Math.floor(order.length ** (level / (THRESHOLDS - 1))))) - 1;
  const found = Array.from(
    { length: THRESHOLDS },
    (_, level) => scores[order[at(level)] ?? 0] ?? 0,
  );
  return [...new Set(found)];
}
