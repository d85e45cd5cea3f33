import type { Anomaly, Finder, Report } from './anomaly.ts';
import { type Clock, NO_CLOCK, readClock } from './clock.ts';
import { intervalMs, sinceLast } from './codes.ts';
import { nextSerial } from './cold-bytes.ts';
import { type Connections, connect, connectionOf, NO_CONNECTIONS } from './connections.ts';
import { close, open } from './incident.ts';
import { type MetricState, newMetric, type Observation, observeAll } from './metric.ts';
import type { MetricOptions } from './options.ts';
import { beat, firstPulse, type Outage, type Pulse, silenceOf, soundAgain } from './pulse.ts';
import { NOTHING_PENDING, WHOLE_PENDING } from './rhythm-hour.ts';
import { WARM_UP_READINGS } from './track.ts';

/** Metrics of a device that are watched; what exceeds them is left alone. */
export const METRICS_MAX = 256;

/** What the detector keeps of a device. */
export interface DeviceState {
  readonly metrics: ReadonlyMap<string, MetricState>;
  /** Whether it was told already that there are more metrics than are watched. */
  readonly toldUnwatched: boolean;
  /** How often the rhythms were written, modulo 65536. */
  readonly coldSerial: number;
  /** They are to be written with this state: what hours taught no longer fits the tracks. */
  readonly coldDue: boolean;
  readonly pulse: Pulse | undefined;
  readonly clock: Clock;
  readonly connections: Connections;
  /** Open incidents of the device itself. */
  readonly incidents: readonly Anomaly[];
}

export const newDevice = (): DeviceState => ({
  metrics: new Map(),
  toldUnwatched: false,
  coldSerial: 0,
  coldDue: false,
  pulse: undefined,
  clock: NO_CLOCK,
  connections: NO_CONNECTIONS,
  incidents: [],
});

/** The part of a reading that detection wants. */
export interface DeviceReading {
  readonly observedAtMs: number;
  readonly receivedAtMs: number;
  readonly transport: string;
  readonly sourceIp?: string | undefined;
  readonly metrics: Readonly<Record<string, number | boolean | string>>;
  readonly units?: Readonly<Record<string, string>> | undefined;
}

/** Something to tell of a device, or of one of its metrics. */
export interface DeviceReport extends Report {
  readonly metric: string | undefined;
}

export interface DeviceOutcome {
  readonly state: DeviceState;
  readonly reports: readonly DeviceReport[];
  /** Highest score of any metric. */
  readonly score: number;
  /** Names that are not watched, told once: the first ten. */
  readonly unwatched: readonly string[];
}

/**
 * Takes a batch of one device's readings. Their order in the batch makes no difference: they are taken in the order of
 * observation, and for what concerns the cloud in that of receipt.
 */
export function observeDevice(
  state: DeviceState,
  readings: readonly DeviceReading[],
  optionsOf: (metric: string) => MetricOptions = () => ({}),
): DeviceOutcome {
  const ordered = readings.toSorted((one, other) => one.observedAtMs - other.observedAtMs);
  const metrics = new Map(state.metrics);
  const { observations, unwatched } = byMetric(ordered, metrics, optionsOf);
  const reports: DeviceReport[] = [];
  let score = 0;
  for (const [metric, list] of observations) {
    const options = optionsOf(metric);
    const before = metrics.get(metric) ?? newMetric(options);
    const outcome = observeAll(present(before, list, metric, reports), list, options);
    metrics.set(metric, outcome.state);
    for (const verdict of outcome.verdicts) {
      score = Math.max(score, verdict.score);
      for (const report of verdict.reports) reports.push({ ...report, metric });
    }
  }
  const life = signsOfLife(state, readings, reports);
  missing(metrics, ordered, state.pulse, reports, optionsOf);
  const told = unwatched.length > 0 && !state.toldUnwatched;
  return {
    state: {
      ...life,
      ...coldOf(state, metrics),
      metrics,
      toldUnwatched: state.toldUnwatched || told,
    },
    reports,
    score,
    unwatched: told ? unwatched : [],
  };
}

/** When one metric's hours have to be written all are, and their tracks wait for new ones. */
function coldOf(
  { coldSerial, coldDue }: DeviceState,
  metrics: Map<string, MetricState>,
): Pick<DeviceState, 'coldSerial' | 'coldDue'> {
  let isDue = false;
  for (const { track } of metrics.values()) isDue ||= track.pending === WHOLE_PENDING;
  if (!isDue) return { coldSerial, coldDue };
  for (const [name, metric] of metrics) {
    metrics.set(name, { ...metric, track: { ...metric.track, pending: NOTHING_PENDING } });
  }
  return { coldSerial: coldDue ? coldSerial : nextSerial(coldSerial), coldDue: true };
}

const NAMED = 10;

/** Numbers and booleans by metric; texts are not watched, nor is what finds no place any more. */
function byMetric(
  readings: readonly DeviceReading[],
  metrics: Map<string, MetricState>,
  optionsOf: (metric: string) => MetricOptions,
): { observations: Map<string, Observation[]>; unwatched: string[] } {
  const observations = new Map<string, Observation[]>();
  const unwatched = new Set<string>();
  for (const { observedAtMs, metrics: values, units } of readings) {
    for (const [metric, value] of Object.entries(values)) {
      if (typeof value === 'string') continue;
      const list = observations.get(metric);
      const observation = { atMs: observedAtMs, value, unit: units?.[metric] };
      if (list !== undefined) list.push(observation);
      else if (optionsOf(metric).kind === 'unwatched') continue;
      else if (hasPlace(metrics, metric)) observations.set(metric, [observation]);
      else if (unwatched.size < NAMED) unwatched.add(metric);
    }
  }
  return { observations, unwatched: [...unwatched] };
}

function hasPlace(metrics: Map<string, MetricState>, metric: string): boolean {
  if (metrics.has(metric)) return true;
  if (metrics.size >= METRICS_MAX) return false;
  metrics.set(metric, newMetric());
  return true;
}

const incidentOf = (
  { incidents }: { readonly incidents: readonly Anomaly[] },
  finder: Finder,
): Anomaly | undefined => incidents.find((incident) => incident.finder === finder);

const without = (incidents: readonly Anomaly[], finder: Finder): readonly Anomaly[] =>
  incidents.filter((incident) => incident.finder !== finder);

/** A metric that was missing is there again. */
function present(
  state: MetricState,
  [first]: readonly Observation[],
  metric: string,
  reports: DeviceReport[],
): MetricState {
  const before = incidentOf(state, 'missing');
  if (before === undefined || first === undefined) return state;
  reports.push({ change: 'closes', anomaly: close(before, first.atMs), metric });
  return { ...state, incidents: without(state.incidents, 'missing') };
}

/** Intervals of a metric that may pass without it while its device goes on. */
const MISSING_INTERVALS = 10;
const MISSING_LEAST_MS = 60_000;

function missing(
  metrics: Map<string, MetricState>,
  readings: readonly DeviceReading[],
  pulse: Pulse | undefined,
  reports: DeviceReport[],
  optionsOf: (metric: string) => MetricOptions,
): void {
  const last = readings.at(-1);
  if (last === undefined) return;
  const atMs = last.observedAtMs;
  const pausedMs = longestPause(readings, pulse);
  for (const [metric, state] of metrics) {
    const { track } = state;
    if (track.readings < WARM_UP_READINGS || track.interval === 0) continue;
    const absentMs = sinceLast(track, atMs);
    const every = intervalMs(track.interval);
    if (absentMs <= Math.max(MISSING_LEAST_MS, MISSING_INTERVALS * every)) continue;
    if (incidentOf(state, 'missing') !== undefined) continue;
    if ((optionsOf(metric).mutedUntilMs ?? 0) > atMs || absentMs < 2 * pausedMs) continue;
    const anomaly = open(
      { atMs, value: absentMs },
      {
        finder: 'missing',
        kind: 'missing metric',
        direction: 'above',
        expected: every,
        high: MISSING_INTERVALS * every,
        basis: 'rhythm of the device',
      },
    );
    metrics.set(metric, { ...state, incidents: [...state.incidents, anomaly] });
    reports.push({ change: 'opens', anomaly, metric });
  }
}

/** The device's own longest pause lately: after one, it has not yet had the time to send all of its metrics. */
function longestPause(readings: readonly DeviceReading[], pulse: Pulse | undefined): number {
  let lastMs = pulse?.lastMs ?? Number.POSITIVE_INFINITY;
  let longest = 0;
  for (const { receivedAtMs } of readings) {
    longest = Math.max(longest, receivedAtMs - lastMs);
    lastMs = receivedAtMs;
  }
  return longest;
}

function signsOfLife(
  state: DeviceState,
  readings: readonly DeviceReading[],
  reports: DeviceReport[],
): DeviceState {
  let { pulse, clock, connections, incidents } = state;
  const tell = (finder: Finder, report: Report | undefined) => {
    if (report === undefined) return;
    reports.push({ ...report, metric: undefined });
    const others = without(incidents, finder);
    incidents = report.change === 'closes' ? others : [...others, report.anomaly];
  };
  const received = readings.toSorted((one, other) => one.receivedAtMs - other.receivedAtMs);
  for (const { observedAtMs, receivedAtMs, transport, sourceIp } of received) {
    const silence = incidentOf({ incidents }, 'silence');
    if (silence !== undefined) tell('silence', soundAgain(silence, receivedAtMs));
    pulse = pulse === undefined ? firstPulse(receivedAtMs) : beat(pulse, receivedAtMs);
    const told = readClock(clock, observedAtMs, receivedAtMs, incidentOf({ incidents }, 'clock'));
    clock = told.clock;
    tell('clock', told.report);
    const met = connect(
      connections,
      connectionOf(transport, sourceIp),
      receivedAtMs,
      incidentOf({ incidents }, 'connections'),
    );
    connections = met.connections;
    tell('connections', met.report);
  }
  return { ...state, pulse, clock, connections, incidents };
}

/** Asked on a schedule, of a device whose deadline has passed: whether it is silent. */
export function checkSilence(
  state: DeviceState,
  nowMs: number,
  outages: readonly Outage[] = [],
): { readonly state: DeviceState; readonly report: DeviceReport | undefined } {
  if (state.pulse === undefined) return { state, report: undefined };
  const report = silenceOf(state.pulse, nowMs, outages, incidentOf(state, 'silence'));
  if (report === undefined) return { state, report: undefined };
  const incidents = [...state.incidents, report.anomaly];
  return { state: { ...state, incidents }, report: { ...report, metric: undefined } };
}
