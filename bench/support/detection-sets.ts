import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as z from 'zod';

/** One series of a labelled set, in the order of its rows. */
export interface Series {
  /** Path below `data`. */
  readonly path: string;
  readonly category: string;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** First and last row of each labelled stretch. */
  readonly windows: readonly (readonly [number, number])[];
  /** Rows before this one are for learning only. */
  readonly from: number;
}

/** A folder with `data`, `labels/combined_windows.json` and, where rows are to be left out, `meta.json`. */
export interface LabelledSet {
  readonly name: string;
  /** Without `meta.json`: the layout of the Numenta Anomaly Benchmark, which has a score of its own. */
  readonly isNab: boolean;
  readonly series: readonly Series[];
}

/** The set in a folder, or the sets in its subfolders. */
export function readSets(folder: string): readonly LabelledSet[] {
  const folders = existsSync(join(folder, 'data'))
    ? [folder]
    : readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((path) => existsSync(join(path, 'labels', 'combined_windows.json')));
  if (folders.length === 0) {
    throw new Error(`${folder}: wants data/ and labels/combined_windows.json, there or below`);
  }
  return folders.map(readSet);
}

const Windows = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));
const Meta = z.object({ files: z.record(z.string(), z.object({ evalFrom: z.int() })) });

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function readSet(folder: string): LabelledSet {
  const windows = Windows.parse(readJson(join(folder, 'labels', 'combined_windows.json')));
  const metaPath = join(folder, 'meta.json');
  const meta = existsSync(metaPath) ? Meta.parse(readJson(metaPath)) : undefined;
  const series = Object.entries(windows).map(([path, spans]) => {
    const { texts, values } = readRows(join(folder, 'data', path));
    const times = Float64Array.from(texts, timeOf);
    const from = meta?.files[path]?.evalFrom ?? probation(times.length);
    return {
      path,
      category: path.split('/')[0] ?? '',
      times,
      values,
      windows: rowsOf(spans, times),
      from,
    };
  });
  return { name: basename(folder), isNab: meta === undefined, series };
}

/** NAB learns from 15 % of a file, of its first 5000 rows at most (Lavin and Ahmad 2015). */
const probation = (rows: number): number => Math.ceil(0.15 * Math.min(rows, 5000) - 1e-9);

function readRows(path: string): { texts: string[]; values: Float64Array } {
  const lines = readFileSync(path, 'utf8').trim().split(/\r?\n/).slice(1);
  const commas = lines.map((line) => line.indexOf(','));
  return {
    texts: lines.map((line, at) => line.slice(0, commas[at])),
    values: Float64Array.from(lines, (line, at) => Number(line.slice((commas[at] ?? 0) + 1))),
  };
}

const timeOf = (text: string): number => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);

/** Where times repeat (a clock set back), windows follow each other in the rows. */
function rowsOf(
  spans: readonly (readonly [string, string])[],
  times: Float64Array,
): (readonly [number, number])[] {
  let from = 0;
  return spans.map(([begin, end]) => {
    const first = times.findIndex((time, at) => at >= from && time >= timeOf(begin));
    let last = times.indexOf(timeOf(end), first);
    if (last < 0) last = times.findLastIndex((time) => time <= timeOf(end));
    while (times[last + 1] === times[last]) last += 1;
    from = first;
    return [first, last] as const;
  });
}
