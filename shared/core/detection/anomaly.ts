/** What can be wrong with a metric or a device. */
export const ANOMALY_KINDS = [
  'spike',
  'level shift',
  'drift',
  'stuck value',
  'noise change',
  'out of range',
  'rate of change',
  'unit change',
  'rule',
  'missing metric',
  'silent device',
  'clock jump',
  'two connections',
] as const;
export type AnomalyKind = (typeof ANOMALY_KINDS)[number];

/**
 * Incidents of a metric are told apart by what found them; of each there is at most one open. `value` holds whatever
 * the learned ranges find, whose kind may become clearer while it lasts.
 */
export type Finder =
  | 'value'
  | 'stuck'
  | 'drift'
  | 'range'
  | 'rate'
  | 'missing'
  | 'silence'
  | 'clock'
  | 'connections'
  | `rule ${string}`;

export interface EvidencePoint {
  readonly atMs: number;
  readonly value: number;
}

/** One incident: it opens, may be refined (a higher version), and closes. */
export interface Anomaly {
  readonly finder: Finder;
  readonly kind: AnomalyKind;
  /** Higher with each thing told of it: opening is 1. */
  readonly version: number;
  readonly openedAtMs: number;
  /** Of the last reading that showed it. */
  readonly lastAtMs: number;
  readonly closedAtMs?: number | undefined;
  /** Highest so far, 0 to 1. */
  readonly score: number;
  readonly direction: 'above' | 'below' | 'none';
  /** The value that showed it most clearly, what was expected then, and the range held normal. */
  readonly observed: number;
  readonly expected?: number | undefined;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  readonly unit?: string | undefined;
  /** What the range is: of all readings so far, of this hour, a limit. */
  readonly basis: Basis;
  /** First readings of it, and the last. */
  readonly points: readonly EvidencePoint[];
  /** Whatever else the kind needs for its sentence. */
  readonly detail?: string | undefined;
  /** How many readings showed it, and how many in a row have not since. */
  readonly readings: number;
  readonly calm: number;
  /** Level and spread before it began: what coming back means. */
  readonly level: number;
  readonly spread: number;
}

/** Detail of a noise change that was found by its readings on both sides of the level. */
export const SCATTERS = 'both sides of the level';

export type Basis =
  | 'all readings'
  | 'this hour of the day'
  | 'this hour of the week'
  | 'recent readings'
  | 'noise'
  | 'limit'
  | 'rhythm of the device';

export type Change = 'opens' | 'continues' | 'closes';

/** Something to tell: each has a version of its anomaly for itself. */
export interface Report {
  readonly change: Change;
  readonly anomaly: Anomaly;
}

const POINTS_MAX = 8;

/** The points of an incident with one more: the first ones stay, the last is replaced. */
export const withPoint = (
  points: readonly EvidencePoint[],
  point: EvidencePoint,
): readonly EvidencePoint[] =>
  points.length < POINTS_MAX ? [...points, point] : [...points.slice(0, POINTS_MAX - 1), point];

/**
 * Id of an anomaly: the same whatever is redelivered, as it is made of what it is about and when it began.
 *
 * @param metric  none for an anomaly of the device itself
 */
export const anomalyId = (
  thing: string,
  metric: string | undefined,
  { finder, openedAtMs }: Pick<Anomaly, 'finder' | 'openedAtMs'>,
): string =>
  [thing, metric ?? '', finder, openedAtMs.toString(36)].map(encodeURIComponent).join('/');
