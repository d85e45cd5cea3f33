import type { AnomalyRecord } from '../shared/core/detection/anomaly-record.ts';
import { duration } from '../shared/core/detection/explain.ts';
import { drawChart, type Point } from './chart.ts';
import { printable } from './printable.ts';
import { wrapped } from './wrapped.ts';

/** Of a drawing where the output is no terminal; sentences are not broken there. */
const COLUMNS = 80;

/** What it is and how it stands, and below it its sentence. */
export function summaryOf(record: AnomalyRecord, columns: number | undefined): string {
  const { id, kind, openedAtMs } = record;
  const head = `${timeOf(openedAtMs)}  ${stateOf(record).padEnd(12)}  ${kind.padEnd(14)}  ${id}`;
  return `${printable(head)}\n${sentenceLines(record, columns, '    ')}`;
}

const sentenceLines = (
  { sentence }: AnomalyRecord,
  columns = Number.POSITIVE_INFINITY,
  indent: string,
): string =>
  wrapped(printable(sentence), columns - indent.length)
    .map((line) => `${indent}${line}\n`)
    .join('');

const stateOf = ({ state, acknowledgedBy }: AnomalyRecord): string =>
  acknowledgedBy === undefined ? state : `${state}, seen`;

/**
 * All that is known of an anomaly, with a drawing of the readings around it.
 *
 * @param readings  of its metric; none for what is no number
 */
export function evidenceOf(
  record: AnomalyRecord,
  readings: readonly Point[],
  columns: number | undefined,
): string {
  const facts = factsOf(record).map(([name, text]) => `  ${name.padEnd(10)}${printable(text)}\n`);
  const { openedAtMs: fromMs, closedAtMs, lastAtMs } = record;
  const untilMs = closedAtMs === undefined ? Number.POSITIVE_INFINITY : lastAtMs;
  const points = hasValues(record) ? withEvidence(readings, record) : readings;
  const chart = drawChart({ points, ...bandOf(record), fromMs, untilMs }, (columns ?? COLUMNS) - 2);
  const drawn = chart.length === 0 ? '' : `\n${chart.map((line) => `  ${line}\n`).join('')}`;
  return `${sentenceLines(record, columns, '')}\n${facts.join('')}${drawn}`;
}

function factsOf(record: AnomalyRecord): readonly (readonly [string, string])[] {
  const { id, kind, score, openedAtMs, closedAtMs, acknowledgedBy } = record;
  return [
    ['id', id],
    ['kind', `${kind}, score ${score.toFixed(2)}`],
    ['since', timeOf(openedAtMs)],
    ['state', closedAtMs === undefined ? 'open' : overSince(openedAtMs, closedAtMs)],
    [
      'seen',
      acknowledgedBy === undefined
        ? `by nobody yet: npm run anomalies -- ack ${id}`
        : `by ${acknowledgedBy}, ${timeOf(record.acknowledgedAtMs ?? 0)}`,
    ],
    ...(hasValues(record) ? valueFacts(record) : []),
  ];
}

const overSince = (openedAtMs: number, closedAtMs: number): string =>
  `over since ${timeOf(closedAtMs)}, after ${duration(closedAtMs - openedAtMs)}`;

function valueFacts(record: AnomalyRecord): (readonly [string, string])[] {
  const { observed, expected, unit, basis } = record;
  const { low, high } = bandOf(record);
  const band = [low, high].map((edge) => (edge === undefined ? '…' : shown(edge))).join(' to ');
  return [
    ['observed', amount(observed, unit)],
    ...(expected === undefined ? [] : [['expected', amount(expected, unit)] as const]),
    ...(low === undefined && high === undefined
      ? []
      : [['band', `${band}${unit === undefined ? '' : ` ${unit}`}, by ${basis}`] as const]),
  ];
}

/** What else than values of the metric is observed: durations, offsets, numbers of changes. */
const OTHERWISE_OBSERVED: readonly AnomalyRecord['kind'][] = [
  'missing metric',
  'silent device',
  'clock jump',
  'two connections',
];

/** Booleans that stay or change are told of in seconds and changes. */
const isOfTime = ({ kind, basis, detail }: AnomalyRecord): boolean =>
  (kind === 'noise change' && basis !== 'noise') ||
  (kind === 'stuck value' && detail === undefined);

const hasValues = (record: AnomalyRecord): boolean =>
  !OTHERWISE_OBSERVED.includes(record.kind) && !isOfTime(record);

/** The range of values that were held normal, where the edges are one: not differences, runs or rates. */
function bandOf(record: AnomalyRecord): Pick<AnomalyRecord, 'low' | 'high'> {
  const { kind, basis, low, high } = record;
  const isOther = kind === 'stuck value' || kind === 'rate of change' || basis === 'noise';
  return isOther || !hasValues(record) ? {} : { low, high };
}

/** Evidence that is not among the stored readings, or no more. */
const withEvidence = (readings: readonly Point[], { points }: AnomalyRecord): readonly Point[] => {
  const known = new Set(readings.map(({ atMs }) => atMs));
  return [...readings, ...points.filter(({ atMs }) => !known.has(atMs))];
};

const amount = (value: number, unit: string | undefined): string =>
  unit === undefined ? shown(value) : `${shown(value)} ${unit}`;

const shown = (value: number): string => String(Number(value.toPrecision(6)));

/** UTC, to the second. */
export const timeOf = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;
