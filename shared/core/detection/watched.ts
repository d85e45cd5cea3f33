import type { Reading } from '../reading.ts';
import { type Anomaly, anomalyId, type Finder } from './anomaly.ts';
import { type AnomalyRecord, recordOf } from './anomaly-record.ts';
import { type Detector, runDetector, runTimers } from './detector-model.ts';
import {
  checkSilence,
  type DeviceReport,
  type DeviceState,
  newDevice,
  observeDevice,
} from './device.ts';
import { close, open } from './incident.ts';
import { advance, NO_PROGRESS, type Progress } from './progress.ts';
import { deadlineOf, type Outage } from './pulse.ts';
import type { DeviceSettings, WatchedModel } from './settings.ts';

/** All that is kept of a device between two batches. */
export interface Watched {
  readonly device: DeviceState;
  readonly progress: Progress;
  /** Detectors of imported models, by the model's name. */
  readonly detectors: Readonly<Record<string, Detector>>;
  /** Whether the index of deadlines holds it. */
  readonly indexed: boolean;
}

export const NEVER_WATCHED: Watched = {
  device: newDevice(),
  progress: NO_PROGRESS,
  detectors: {},
  indexed: false,
};

/** A reading, and its place in the stream. */
export interface Arrival {
  readonly sequenceNumber: string;
  readonly reading: Reading;
}

interface Identity {
  readonly thing: string;
  readonly fleet: string;
}

export interface Step {
  readonly next: Watched;
  /** What is to be recorded and told. */
  readonly records: readonly AnomalyRecord[];
  /** Metrics that find no place any more, told once. */
  readonly unwatched: readonly string[];
  /** Readings that were new. */
  readonly counted: number;
}

/** Takes readings of one device, in the order of the stream; what was counted before changes nothing. */
export function takeArrivals(
  before: Watched,
  identity: Identity,
  arrivals: readonly Arrival[],
  settings: DeviceSettings,
): Step {
  let { progress } = before;
  const fresh: Reading[] = [];
  for (const { sequenceNumber, reading } of arrivals) {
    const step = advance(progress, sequenceNumber, reading.id);
    progress = step.progress;
    if (step.isNew) fresh.push(reading);
  }
  if (fresh.length === 0)
    return { next: { ...before, progress }, records: [], unwatched: [], counted: 0 };
  const seen = observeDevice(before.device, fresh, (metric) => settings.optionsOf(metric));
  const nowMs = Math.max(...fresh.map(({ receivedAtMs }) => receivedAtMs));
  const inOrder = fresh.toSorted((one, other) => one.observedAtMs - other.observedAtMs);
  const modelled = runModels(seen.state, before.detectors, settings.models, nowMs, (run) => {
    for (const { observedAtMs, metrics } of inOrder) run.message(observedAtMs, metrics);
  });
  const { device, reports } = unmuted(
    before.device,
    modelled.device,
    [...seen.reports, ...modelled.reports],
    settings,
    nowMs,
  );
  return {
    next: { ...before, device, progress, detectors: modelled.detectors },
    records: reports.map((report) => recordOf(identity, report)),
    unwatched: seen.unwatched,
    counted: fresh.length,
  };
}

/** Ids of all that is open of a device. */
export function openIds(thing: string, { incidents, metrics }: DeviceState): ReadonlySet<string> {
  const own = incidents.map((incident) => anomalyId(thing, undefined, incident));
  const ofMetrics = [...metrics].flatMap(([metric, state]) =>
    state.incidents.map((incident) => anomalyId(thing, metric, incident)),
  );
  return new Set([...own, ...ofMetrics]);
}

/** Asked when a deadline of the device has passed: whether it is silent, and which timers have run out. */
export function checkWatched(
  before: Watched,
  identity: Identity,
  nowMs: number,
  outages: readonly Outage[],
  settings: DeviceSettings,
): Omit<Step, 'unwatched' | 'counted'> {
  const silent = checkSilence(before.device, nowMs, outages);
  const modelled = runModels(silent.state, before.detectors, settings.models, nowMs, (run) =>
    run.timers(nowMs),
  );
  const found = silent.report === undefined ? [] : [silent.report];
  const { device, reports } = unmuted(
    before.device,
    modelled.device,
    [...found, ...modelled.reports],
    settings,
    nowMs,
  );
  const changed = reports.length > 0 || modelled.changed;
  return {
    next: changed ? { ...before, device, detectors: modelled.detectors } : before,
    records: reports.map((report) => recordOf(identity, report)),
  };
}

/**
 * When the device is to be looked at without being heard, as it may be silent by then. None while its rhythm is unknown,
 * and while its silence is known.
 *
 * @param mutedUntilMs  of the device: before, nothing would be told
 */
export function nextLookMs(
  { device }: Pick<Watched, 'device'>,
  mutedUntilMs: number = 0,
): number | undefined {
  const isSilent = device.incidents.some(({ finder }) => finder === 'silence');
  if (device.pulse === undefined || isSilent) return undefined;
  const deadline = deadlineOf(device.pulse);
  return deadline === undefined ? undefined : Math.max(deadline, mutedUntilMs);
}

/** When the next timer of a model runs out. */
export function nextTimerMs({ detectors }: Pick<Watched, 'detectors'>): number | undefined {
  const due = Object.values(detectors).flatMap(({ timers }) =>
    Object.values(timers).map(({ dueMs }) => dueMs),
  );
  return due.length === 0 ? undefined : Math.min(...due);
}

/** While the device itself is muted, nothing of it opens; what is open may close. */
function unmuted(
  before: DeviceState,
  device: DeviceState,
  reports: readonly DeviceReport[],
  settings: DeviceSettings,
  nowMs: number,
): { readonly device: DeviceState; readonly reports: readonly DeviceReport[] } {
  if ((settings.optionsOf(undefined).mutedUntilMs ?? 0) <= nowMs) return { device, reports };
  const known = new Set(before.incidents.map(({ finder }) => finder));
  const isNew = (finder: Finder): boolean => !known.has(finder);
  return {
    device: { ...device, incidents: device.incidents.filter(({ finder }) => !isNew(finder)) },
    reports: reports.filter(
      ({ metric, anomaly }) => metric !== undefined || !isNew(anomaly.finder),
    ),
  };
}

interface ModelRun {
  message(atMs: number, metrics: Reading['metrics']): void;
  timers(nowMs: number): void;
}

/** Runs each model that holds for the device; one that no longer does is forgotten, and what it held open closes. */
function runModels(
  before: DeviceState,
  detectors: Watched['detectors'],
  models: readonly WatchedModel[],
  nowMs: number,
  drive: (run: ModelRun) => void,
): {
  readonly device: DeviceState;
  readonly detectors: Watched['detectors'];
  readonly reports: readonly DeviceReport[];
  readonly changed: boolean;
} {
  if (models.length === 0 && Object.keys(detectors).length === 0) {
    return { device: before, detectors, reports: [], changed: false };
  }
  const next: Record<string, Detector> = {};
  const reports: DeviceReport[] = [];
  const over = before.incidents.filter(
    ({ finder }) =>
      finder.startsWith('rule ') && !models.some(({ name }) => finder === `rule ${name}`),
  );
  for (const anomaly of over) {
    reports.push({ change: 'closes', anomaly: close(anomaly, nowMs), metric: undefined });
  }
  let incidents = before.incidents.filter((incident) => !over.includes(incident));
  for (const watched of models) {
    const finder: Finder = `rule ${watched.name}`;
    let detector = detectors[watched.name];
    const settle = (atMs: number, moved: Detector) => {
      const told = modelReport(
        watched,
        moved,
        atMs,
        incidents.find((incident) => incident.finder === finder),
      );
      detector = moved;
      if (told === undefined) return;
      reports.push({ ...told, metric: undefined });
      const others = incidents.filter((incident) => incident.finder !== finder);
      incidents = told.change === 'closes' ? others : [...others, told.anomaly];
    };
    drive({
      message: (atMs, metrics) =>
        settle(
          atMs,
          runDetector(watched.model, detector, { atMs, input: watched.input, metrics }).detector,
        ),
      timers: (nowMs) => {
        if (detector === undefined) return;
        const moved = runTimers(watched.model, detector, nowMs).detector;
        if (moved !== detector) settle(nowMs, moved);
      },
    });
    if (detector !== undefined) next[watched.name] = detector;
  }
  const changed = JSON.stringify(next) !== JSON.stringify(detectors);
  return { device: { ...before, incidents }, detectors: next, reports, changed };
}

function modelReport(
  { name, normalStates }: WatchedModel,
  { state }: Detector,
  atMs: number,
  before: Anomaly | undefined,
): Pick<DeviceReport, 'change' | 'anomaly'> | undefined {
  if (normalStates.has(state)) {
    return before === undefined ? undefined : { change: 'closes', anomaly: close(before, atMs) };
  }
  const detail = `state ${state} of the detector model ${name}`;
  if (before === undefined) {
    const anomaly = open(
      { atMs, value: 0 },
      { finder: `rule ${name}`, kind: 'rule', direction: 'none', detail },
    );
    return { change: 'opens', anomaly };
  }
  if (before.detail === detail) return undefined;
  return {
    change: 'continues',
    anomaly: { ...before, detail, version: before.version + 1, lastAtMs: atMs },
  };
}
