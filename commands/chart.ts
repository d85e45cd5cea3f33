/** One reading of what is drawn. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** Readings, the band they should be in, and the time in which they were not as they should be. */
export interface Chart {
  readonly points: readonly Point[];
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
}

const ROWS = 9;
const USUAL = '·';
const STRANGE = '●';
const EDGE = '┄';
const DAY_MS = 86_400_000;

/**
 * Draws readings as text, strange ones as dots that catch the eye, and the edges of the band as lines.
 *
 * @param columns  of the whole drawing, at least 40
 * @returns        lines of at most so many characters; none where there is nothing to draw
 */
export function drawChart(chart: Chart, columns: number): readonly string[] {
  const points = chart.points.toSorted((one, other) => one.atMs - other.atMs);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const edges = [chart.low, chart.high].filter((edge) => edge !== undefined);
  const values = [...points.map(({ value }) => value), ...edges];
  const scale = scaleOf(Math.min(...values), Math.max(...values));
  const labels = labelsOf(scale, edges);
  const margin = Math.max(...labels.map(({ length }) => length));
  const width = Math.max(20, columns - margin - 2);
  const grid = Array.from({ length: ROWS }, () => new Array<string>(width).fill(' '));
  for (const edge of edges) grid[scale.rowOf(edge)]?.fill(EDGE);
  const spanMs = last.atMs - first.atMs;
  const columnOf = (atMs: number): number =>
    spanMs === 0 ? 0 : Math.round(((atMs - first.atMs) / spanMs) * (width - 1));
  for (const { atMs, value } of points) {
    const isStrange = atMs >= chart.fromMs && atMs <= chart.untilMs;
    const row = grid[scale.rowOf(value)];
    const column = columnOf(atMs);
    if (row !== undefined && row[column] !== STRANGE) row[column] = isStrange ? STRANGE : USUAL;
  }
  const body = grid.map((row, at) =>
    `${(labels[at] ?? '').padStart(margin)} │${row.join('')}`.trimEnd(),
  );
  const pad = ' '.repeat(margin + 1);
  const text = timeTexts(spanMs);
  const times = between(text(first.atMs), text(last.atMs), width);
  return [...body, `${pad}└${'─'.repeat(width)}`, `${pad} ${times}`];
}

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly rowOf: (value: number) => number;
}

/** What is constant is drawn in the middle. */
function scaleOf(lowest: number, highest: number): Scale {
  const half = highest > lowest ? 0 : Math.abs(lowest) / 100 || 1;
  const [low, high] = [lowest - half, highest + half];
  return {
    low,
    high,
    rowOf: (value) => Math.round(((high - value) / (high - low)) * (ROWS - 1)),
  };
}

/** The ends of the scale and the edges of the band, each in its row; edges win. */
function labelsOf({ low, high, rowOf }: Scale, edges: readonly number[]): readonly string[] {
  const digits = digitsOf(low, high);
  const labels = new Array<string>(ROWS).fill('');
  for (const value of [high, low, ...edges]) labels[rowOf(value)] = shown(value, digits);
  return labels;
}

/** So many digits behind the point that the rows differ, four at most. */
const digitsOf = (low: number, high: number): number =>
  Math.max(0, Math.min(4, 1 - Math.floor(Math.log10((high - low) / ROWS))));

const shown = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

/** Days where it lasts for days, else the time of day; UTC. */
const timeTexts =
  (spanMs: number) =>
  (ms: number): string =>
    spanMs > DAY_MS
      ? new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
      : new Date(ms).toISOString().slice(11, 19);

const between = (left: string, right: string, width: number): string =>
  `${left}${right.padStart(Math.max(right.length + 1, width - left.length))}`;
