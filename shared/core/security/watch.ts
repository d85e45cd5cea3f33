import { isUpperBound, learn, violates, type Yardsticks } from './criteria.ts';
import { type DeviceState, NO_PROGRESS, type Progress, type Window } from './device-state.ts';
import { type Finding, violationId } from './finding.ts';
import { isMetricName, METRICS } from './metrics.ts';
import type { Observation } from './observation.ts';
import type { ActiveBehavior, MetricValue } from './profile.ts';

/** How long an event may come after the end of its window and still count. */
const GRACE_MS = 60_000;
/** Windows without any event that are counted as such; a device that was away for longer starts anew. */
const IDLE_WINDOWS = 12;

/** Who is watched, and by what. */
export interface Watched {
  readonly thing: string;
  readonly behaviors: readonly ActiveBehavior[];
  /** No event is taken to be later than this. */
  readonly nowMs: number;
  /** Of the datapoints that the fleet's devices had under a behaviour; `percent` is 0 to 100. */
  readonly percentile?: (key: string, percent: number) => number | undefined;
}

/** A datapoint of a behaviour that is compared with the fleet's. */
export interface Datapoint {
  readonly key: string;
  readonly count: number;
}

export interface Outcome {
  readonly state: DeviceState;
  readonly findings: readonly Finding[];
  readonly datapoints: readonly Datapoint[];
}

interface Judged {
  readonly value: MetricValue;
  readonly atMs: number;
  /** Which datapoint it is: the number of its window, or its time. */
  readonly index: number;
}

/**
 * Holds what was observed of a device against the behaviours that are expected of it, as Detect does. Windows follow
 * the times of events, whatever order they come in; a sum that has passed its upper bound is in violation at once,
 * and not only when its time is over. One finding when an alarm begins, one when it ends, one when its behaviour is
 * expected no more.
 */
export function watch(
  state: DeviceState,
  observations: readonly Observation[],
  watched: Watched,
): Outcome {
  const run = new Run(state, watched);
  run.dropForgotten();
  for (const observation of observations) run.take(observation);
  run.settleAll();
  return run.outcome();
}

const NONE: readonly Summing[] = [];
const NO_YARDSTICKS: Yardsticks = { learned: undefined, percentile: undefined };

const shifted = ({ index, value }: Window): Window => ({
  index: index + 1,
  value: 0,
  before: value,
});

function metricValueOf({ count, addresses, ports }: Observation): MetricValue {
  if (addresses === undefined && ports === undefined && count !== undefined) return { count };
  return {
    ...(count === undefined ? {} : { count }),
    ...(addresses === undefined ? {} : { cidrs: [...addresses] }),
    ...(ports === undefined ? {} : { ports: [...ports] }),
  };
}

class Run {
  readonly #state: DeviceState;
  readonly #watched: Watched;
  readonly #windows: Map<string, Window>;
  /** That of before, until something of it changes. */
  #progress: ReadonlyMap<string, Progress>;
  readonly #findings: Finding[] = [];
  readonly #datapoints: Datapoint[] = [];
  #copied: Map<string, Progress> | undefined;
  readonly #index: Index;
  #latestMs: number;

  constructor(state: DeviceState, watched: Watched) {
    this.#state = state;
    this.#watched = watched;
    this.#windows = new Map(state.windows);
    this.#progress = state.progress;
    this.#latestMs = state.latestMs;
    this.#index = indexOf(watched.behaviors);
  }

  outcome(): Outcome {
    const { upTo, counted, recent, connection } = this.#state;
    return {
      state: {
        upTo,
        counted,
        recent,
        connection,
        latestMs: this.#latestMs,
        windows: this.#windows,
        progress: this.#progress,
      },
      findings: this.#findings,
      datapoints: this.#datapoints,
    };
  }

  /** Alarms of behaviours that are not expected any more, and windows that nobody looks at. */
  dropForgotten(): void {
    for (const [key, { alarm }] of this.#progress) {
      if (this.#index.keys.has(key)) continue;
      this.#changedProgress().delete(key);
      if (alarm === undefined) continue;
      const [profile = '', name = ''] = key.split('/');
      this.#findings.push({
        violationEventTime: this.#watched.nowMs,
        thingName: this.#watched.thing,
        behavior: { name },
        violationEventType: 'alarm-invalidated',
        violationId: alarm,
        securityProfileName: profile,
      });
    }
    for (const key of this.#windows.keys()) {
      if (!this.#index.byWindow.has(key)) this.#windows.delete(key);
    }
  }

  take(observation: Observation): void {
    const atMs = Math.min(observation.atMs, this.#watched.nowMs);
    this.#latestMs = Math.max(this.#latestMs, atMs);
    const { metric, count } = observation;
    const { byMetric, each } = this.#index;
    for (const summing of byMetric.get(metric) ?? NONE) this.#add(summing, atMs, count ?? 0);
    const actives = each.get(metric);
    if (actives === undefined) return;
    const value = metricValueOf(observation);
    for (const active of actives) this.#judge(active, { value, atMs, index: atMs });
  }

  /** Ends the windows that are over by the newest time of an event. */
  settleAll(): void {
    for (const [key, window] of this.#windows) {
      const summing = this.#index.byWindow.get(key);
      if (summing === undefined) continue;
      this.#advance(summing, window, Math.floor(this.#latestMs / summing.durationMs));
    }
  }

  #add(summing: Summing, atMs: number, count: number): void {
    const { key, durationMs } = summing;
    const index = Math.floor(atMs / durationMs);
    const before = this.#windows.get(key) ?? { index, value: 0, before: undefined };
    const window = this.#advance(summing, before, index);
    if (index === window.index) {
      const value = window.value + count;
      this.#windows.set(key, { index, value, before: window.before });
      this.#judgeEarly(summing, { value: { count: value }, atMs, index });
    } else if (index === window.index - 1 && window.before !== undefined) {
      this.#windows.set(key, { ...window, before: window.before + count });
    }
  }

  /** @returns the window as it is then */
  #advance(summing: Summing, from: Window, to: number): Window {
    let window = from;
    if (to - window.index > IDLE_WINDOWS) {
      this.#settleBefore(summing, window);
      this.#settleBefore(summing, shifted(window));
      window = { index: to - IDLE_WINDOWS, value: 0, before: undefined };
    }
    while (window.index < to) {
      this.#settleBefore(summing, window);
      window = shifted(window);
    }
    if (this.#latestMs >= window.index * summing.durationMs + GRACE_MS) {
      window = this.#settleBefore(summing, window);
    }
    if (window !== from) this.#windows.set(summing.key, window);
    return window;
  }

  /** @returns the window without what was before it, which is judged */
  #settleBefore({ actives, durationMs }: Summing, window: Window): Window {
    if (window.before === undefined) return window;
    const index = window.index - 1;
    const judged = { value: { count: window.before }, atMs: window.index * durationMs, index };
    for (const active of actives) {
      if (this.#progressOf(active).early !== index) this.#judge(active, judged);
    }
    return { ...window, before: undefined };
  }

  #judgeEarly(summing: Summing, judged: Judged): void {
    for (const active of summing.actives) {
      if (!isUpperBound(active.behavior)) continue;
      if (this.#progressOf(active).early === judged.index) continue;
      if (this.#violates(active, judged.value) !== true) continue;
      const window = this.#windows.get(summing.key);
      if (window !== undefined) {
        this.#windows.set(summing.key, this.#settleBefore(summing, window));
      }
      this.#judge(active, judged);
      this.#changedProgress().set(active.key, { ...this.#progressOf(active), early: judged.index });
    }
  }

  #judge(active: ActiveBehavior, judged: Judged): void {
    const { key, behavior } = active;
    const violation = this.#violates(active, judged.value);
    const { count } = judged.value;
    if (behavior.criteria.statisticalThreshold !== undefined && count !== undefined) {
      this.#datapoints.push({ key, count });
    }
    if (behavior.criteria.mlDetectionConfig !== undefined && count !== undefined) {
      const progress = this.#progressOf(active);
      this.#changedProgress().set(key, { ...progress, learned: learn(progress.learned, count) });
    }
    if (violation === true) this.#breach(active, judged);
    if (violation === false) this.#clear(active, judged);
  }

  #breach(active: ActiveBehavior, judged: Judged): void {
    const { behavior, profile, key } = active;
    const before = this.#progressOf(active);
    const needed = behavior.criteria.consecutiveDatapointsToAlarm;
    const breaches = Math.min(before.breaches + 1, needed);
    const begins = before.alarm === undefined && breaches >= needed;
    const alarm = begins
      ? violationId(this.#watched.thing, profile, behavior.name, judged.index)
      : before.alarm;
    this.#changedProgress().set(key, { ...before, breaches, clears: 0, alarm });
    if (begins && alarm !== undefined) this.#tell(active, judged, 'in-alarm', alarm);
  }

  #clear(active: ActiveBehavior, judged: Judged): void {
    const before = this.#progressOf(active);
    if (before.alarm === undefined) {
      if (before.breaches > 0) this.#changedProgress().set(active.key, { ...before, breaches: 0 });
      return;
    }
    const clears = before.clears + 1;
    const ends = clears >= active.behavior.criteria.consecutiveDatapointsToClear;
    const alarm = ends ? undefined : before.alarm;
    this.#changedProgress().set(active.key, {
      ...before,
      breaches: 0,
      clears: ends ? 0 : clears,
      alarm,
    });
    if (ends) this.#tell(active, judged, 'alarm-cleared', before.alarm);
  }

  #tell(
    { behavior, profile }: ActiveBehavior,
    { value, atMs }: Judged,
    violationEventType: Finding['violationEventType'],
    id: string,
  ): void {
    if (behavior.suppressAlerts === true) return;
    const { name, metric, criteria } = behavior;
    const confidenceLevel = criteria.mlDetectionConfig?.confidenceLevel;
    this.#findings.push({
      violationEventTime: atMs,
      thingName: this.#watched.thing,
      behavior: { criteria, name, metric },
      violationEventType,
      metricValue: value,
      violationId: id,
      securityProfileName: profile,
      ...(confidenceLevel === undefined
        ? {}
        : { violationEventAdditionalInfo: { confidenceLevel } }),
    });
  }

  #violates({ behavior, key }: ActiveBehavior, value: MetricValue): boolean | undefined {
    const { percentile } = this.#watched;
    const { mlDetectionConfig, statisticalThreshold } = behavior.criteria;
    if (mlDetectionConfig === undefined && statisticalThreshold === undefined) {
      return violates(behavior, value, NO_YARDSTICKS);
    }
    return violates(behavior, value, {
      learned: this.#progress.get(key)?.learned,
      percentile: percentile === undefined ? undefined : (percent) => percentile(key, percent),
    });
  }

  #changedProgress(): Map<string, Progress> {
    this.#copied ??= new Map(this.#progress);
    this.#progress = this.#copied;
    return this.#copied;
  }

  #progressOf({ key }: ActiveBehavior): Progress {
    return this.#progress.get(key) ?? NO_PROGRESS;
  }
}

/** Behaviours that look at one window: they share its metric and its duration. */
interface Summing {
  readonly key: string;
  readonly durationMs: number;
  readonly actives: readonly ActiveBehavior[];
}

/** Behaviours by what they look at; devices of a fleet share their behaviours, so that is found out once. */
interface Index {
  readonly byMetric: ReadonlyMap<string, readonly Summing[]>;
  readonly byWindow: ReadonlyMap<string, Summing>;
  /** Those for which every observation is a datapoint. */
  readonly each: ReadonlyMap<string, readonly ActiveBehavior[]>;
  readonly keys: ReadonlySet<string>;
}

const indexed = new WeakMap<readonly ActiveBehavior[], Index>();

function indexOf(behaviors: readonly ActiveBehavior[]): Index {
  const known = indexed.get(behaviors) ?? newIndex(behaviors);
  indexed.set(behaviors, known);
  return known;
}

function newIndex(behaviors: readonly ActiveBehavior[]): Index {
  const metricOf = ({ behavior }: ActiveBehavior): string => behavior.metric;
  const summing = [...Map.groupBy(behaviors, windowKey)].flatMap(([key, actives]): Summing[] => {
    const [first] = actives;
    if (key === undefined || first === undefined) return [];
    return [{ key, durationMs: durationSecondsOf(first) * 1000, actives }];
  });
  return {
    byMetric: Map.groupBy(summing, ({ actives: [first] }) => first?.behavior.metric ?? ''),
    byWindow: new Map(summing.map((one) => [one.key, one])),
    each: Map.groupBy(
      behaviors.filter((active) => windowKey(active) === undefined),
      metricOf,
    ),
    keys: new Set(behaviors.map(({ key }) => key)),
  };
}

/** Code of the metric and its duration; none for a metric of which every observation is a datapoint. */
function windowKey({ behavior: { metric, criteria } }: ActiveBehavior): string | undefined {
  if (!isMetricName(metric) || METRICS[metric].fold === 'each') return undefined;
  return `${METRICS[metric].code}${criteria.durationSeconds ?? DURATION_SECONDS}`;
}

const DURATION_SECONDS = 300;

const durationSecondsOf = ({ behavior }: ActiveBehavior): number =>
  behavior.criteria.durationSeconds ?? DURATION_SECONDS;
