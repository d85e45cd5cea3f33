import type { Report } from '../../shared/core/detection/anomaly.ts';
import { rangeSoFar } from '../../shared/core/detection/gauge.ts';
import { newMetric, observe } from '../../shared/core/detection/metric.ts';

/** What a picture shows: values, the bands that they are seen against, what was told, the labels. */
export interface Drawn {
  readonly title: string;
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  readonly windows: readonly (readonly [number, number])[];
}

const WIDTH = 960;
const HEIGHT = 260;
const MARGIN = 30;
const COLUMNS = 400;

/** An SVG of a series as the detector saw it. */
export function draw({ title, times, values, windows }: Drawn): string {
  const { usual, range, opened } = watch(times, values);
  const all = Array.from(values).sort((one, other) => one - other);
  const bottom = all[0] ?? 0;
  const top = all.at(-1) ?? 1;
  const x = (row: number) => MARGIN + ((WIDTH - 2 * MARGIN) * row) / Math.max(1, values.length - 1);
  const y = (value: number) =>
    HEIGHT -
    MARGIN -
    ((HEIGHT - 2 * MARGIN) * (clamp(value, bottom, top) - bottom)) / (top - bottom || 1);
  const rows = sampled(values.length);
  const point = (row: number, value: number) => `${x(row).toFixed(1)},${y(value).toFixed(1)}`;
  const area = (bands: readonly Band[]) =>
    [
      ...rows.map((row) => point(row, bands[row]?.[1] ?? 0)),
      ...rows.toReversed().map((row) => point(row, bands[row]?.[0] ?? 0)),
    ].join(' ');
  const labels = windows.map(
    ([first, last]) =>
      `<rect x="${x(first).toFixed(1)}" y="${MARGIN}" width="${Math.max(1, x(last) - x(first)).toFixed(1)}" height="${HEIGHT - 2 * MARGIN}" fill="#f5c26b" fill-opacity="0.5"/>`,
  );
  const marks = opened.map(
    ({ row, value, kind }) =>
      `<circle cx="${x(row).toFixed(1)}" cy="${y(value).toFixed(1)}" r="5" fill="none" stroke="#c0392b" stroke-width="2"><title>${kind}</title></circle>`,
  );
  const line = extremes(values).map(([row, value]) => point(row, value));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${MARGIN}" y="20">${escaped(title)}</text>`,
    `<polygon points="${area(range)}" fill="#d6e6f5" fill-opacity="0.7"/>`,
    `<polygon points="${area(usual)}" fill="#9ec5e8" fill-opacity="0.7"/>`,
    ...labels,
    `<polyline points="${line.join(' ')}" fill="none" stroke="#34495e" stroke-width="1"/>`,
    ...marks,
    '</svg>',
    '',
  ].join('\n');
}

interface Opened {
  readonly row: number;
  readonly value: number;
  readonly kind: string;
}

/** The range of all readings before each, three spreads around its level, and where something opened. */
function watch(times: ArrayLike<number>, values: ArrayLike<number>) {
  let state = newMetric({ kind: 'gauge' });
  const usual: Band[] = [];
  const range: Band[] = [];
  const opened: Opened[] = [];
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row] ?? 0;
    const { track } = state;
    const level = track.readings === 0 ? value : track.anchor + track.centre;
    const reach = 3 * Math.sqrt(track.variance);
    usual.push([level - reach, level + reach]);
    range.push(rangeSoFar(track) ?? [value, value]);
    const outcome = observe(state, { atMs: times[row] ?? 0, value }, { kind: 'gauge' });
    state = outcome.state;
    const first = outcome.verdict.reports.find(isOpening);
    if (first !== undefined) opened.push({ row, value, kind: first.anomaly.kind });
  }
  return { usual, range, opened };
}

type Band = readonly [number, number];

const isOpening = ({ change }: Report): boolean => change === 'opens';

const clamp = (value: number, low: number, high: number): number =>
  Math.max(low, Math.min(high, value));

const sampled = (rows: number): readonly number[] => {
  const step = Math.max(1, Math.floor(rows / COLUMNS));
  return Array.from({ length: Math.ceil(rows / step) }, (_, at) => at * step);
};

/** Least and greatest of each column, so that no spike is lost. */
function extremes(values: ArrayLike<number>): readonly (readonly [number, number])[] {
  const rows = sampled(values.length);
  return rows.flatMap((from, at) => {
    const until = rows[at + 1] ?? values.length;
    let least = from;
    let most = from;
    for (let row = from; row < until; row += 1) {
      if ((values[row] ?? 0) < (values[least] ?? 0)) least = row;
      if ((values[row] ?? 0) > (values[most] ?? 0)) most = row;
    }
    return [Math.min(least, most), Math.max(least, most)].map(
      (row) => [row, values[row] ?? 0] as const,
    );
  });
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
