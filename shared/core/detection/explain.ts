import { type Anomaly, type AnomalyKind, SCATTERS } from './anomaly.ts';

/** What an anomaly is of: a metric, or the device itself. */
export interface Subject {
  readonly thing: string;
  readonly metric?: string | undefined;
}

/** One plain sentence in English, with times in UTC. */
export function sentenceOf({ thing, metric }: Subject, anomaly: Anomaly): string {
  const name = metric === undefined ? thing : `${metric} of ${thing}`;
  return `${name} ${SENTENCES[anomaly.kind](anomaly)}, since ${timeOf(anomaly.openedAtMs)}${ending(anomaly)}.`;
}

function ending({ closedAtMs }: Anomaly): string {
  return closedAtMs === undefined ? '' : `; over since ${timeOf(closedAtMs)}`;
}

const SENTENCES: Readonly<Record<AnomalyKind, (anomaly: Anomaly) => string>> = {
  spike: (anomaly) => `reads ${observed(anomaly)}, ${side(anomaly)}`,
  'level shift': (anomaly) =>
    `stays away from its level, lately ${observed(anomaly)}: ${side(anomaly)}`,
  drift: ({ expected, observed: to, direction, detail, unit }) =>
    `drifts ${direction === 'above' ? 'up' : 'down'}, from ${amount(expected, unit)} to ${amount(to, unit)} within ${detail} days`,
  'stuck value': ({ observed: value, readings, high, unit, detail }) =>
    detail === undefined
      ? `keeps its state for ${duration(value * 1000)}, never before longer than ${duration((high ?? 0) * 1000)}`
      : `reads ${amount(value, unit)} for ${readings} readings in a row, never before more than ${number(high)}`,
  'noise change': noise,
  'out of range': (anomaly) =>
    `reads ${observed(anomaly)}, outside of ${range(anomaly)} that it can have`,
  'rate of change': ({ detail, high, unit, observed: value }) =>
    `changes by ${amount(Number(detail), unit)} a second to ${amount(value, unit)}, more than the ${number(high)} that it may`,
  'unit change': (anomaly) =>
    `reads ${observed(anomaly)} where ${amount(anomaly.level, anomaly.unit)} was usual, as if the unit had changed: ${anomaly.detail}`,
  rule: (anomaly) =>
    anomaly.direction === 'none'
      ? `is in ${anomaly.detail}`
      : `reads ${observed(anomaly)}, ${anomaly.direction} ${amount(anomaly.direction === 'above' ? anomaly.high : anomaly.low, anomaly.unit)}: rule "${anomaly.detail}"`,
  'missing metric': ({ observed: value, expected }) =>
    `has not been sent for ${duration(value)} while the device goes on, expected every ${duration(expected ?? 0)}`,
  'silent device': ({ observed: value, expected, high }) =>
    `is silent for ${duration(value)}, usually sends every ${duration(expected ?? 0)} and was never silent for longer than ${duration(high ?? 0)}`,
  'clock jump': ({ observed: value, direction }) =>
    `has its clock set ${direction === 'above' ? 'forward' : 'back'} by ${duration(Math.abs(value))}`,
  'two connections': ({ detail }) =>
    `is alive on two connections at once (${detail}): possibly a clone`,
};

function noise(anomaly: Anomaly): string {
  const { direction, high, low, basis, observed: value, unit, detail, level } = anomaly;
  if (detail === SCATTERS) {
    return `scatters on both sides of ${amount(level, unit, digitsOf(anomaly))}, lately ${observed(anomaly)}, where ${range(anomaly)} was usual`;
  }
  return basis === 'noise'
    ? `is ${direction === 'above' ? 'noisier' : 'quieter'} than ever from one reading to the next (usual differences ${amount(low, unit)} to ${amount(high, unit)})`
    : `changes ${number(value)} times in an hour, never before more than ${number(high)}`;
}

const observed = (anomaly: Anomaly): string =>
  amount(anomaly.observed, anomaly.unit, digitsOf(anomaly));

function side(anomaly: Anomaly): string {
  const { direction, expected, unit } = anomaly;
  return `${direction} ${range(anomaly)} seen in ${BASIS_TEXT[anomaly.basis]}; expected ${amount(expected, unit, digitsOf(anomaly))}`;
}

const BASIS_TEXT: Readonly<Record<Anomaly['basis'], string>> = {
  'all readings': 'all readings so far',
  'this hour of the day': 'this hour of the day',
  'this hour of the week': 'this hour of the week',
  'recent readings': 'recent readings',
  noise: 'the differences of readings',
  limit: 'its limits',
  'rhythm of the device': 'the rhythm of the device',
};

function range(anomaly: Anomaly): string {
  const { low, high, unit } = anomaly;
  const digits = digitsOf(anomaly);
  if (low === undefined) return `at most ${amount(high, unit, digits)}`;
  if (high === undefined) return `at least ${amount(low, unit, digits)}`;
  return `${number(low, digits)} to ${amount(high, unit, digits)}`;
}

const amount = (
  value: number | undefined,
  unit: string | undefined,
  digits: number = FEW_DIGITS,
): string => (unit === undefined ? number(value, digits) : `${number(value, digits)} ${unit}`);

const FEW_DIGITS = 4;
const MOST_DIGITS = 15;

/** So many digits that the ends of the range differ in the last two of them. */
function digitsOf({ low, high, observed: value }: Anomaly): number {
  if (low === undefined || high === undefined || high <= low) return FEW_DIGITS;
  const size = Math.max(Math.abs(low), Math.abs(high), Math.abs(value));
  const digits = Math.ceil(Math.log10(size / (high - low))) + 2;
  return Math.max(FEW_DIGITS, Math.min(MOST_DIGITS, digits));
}

const number = (value: number | undefined, digits: number = FEW_DIGITS): string =>
  value === undefined ? 'unknown' : String(Number(value.toPrecision(digits)));

const STEPS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** The largest unit that fits, with one decimal: `1.5 h`. */
export function duration(ms: number): string {
  const [size, name] = STEPS.find(([step]) => ms >= 2 * step) ?? [1000, 's'];
  return `${Number((ms / size).toFixed(1))} ${name}`;
}

const timeOf = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
    : 'an unknown time';
