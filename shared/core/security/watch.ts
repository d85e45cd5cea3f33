import { isUpperBound, learn, violates } from './criteria.ts';
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

class Run {
  readonly #state: DeviceState;
  readonly #watched: Watched;
  readonly #windows: Map<string, Window>;
  readonly #progress: Map<string, Progress>;
  readonly #findings: Finding[] = [];
  readonly #datapoints: Datapoint[] = [];
  /** Behaviours by the window they look at: metric and duration. */
  readonly #summing: ReadonlyMap<string, readonly ActiveBehavior[]>;
  #latestMs: number;

  constructor(state: DeviceState, watched: Watched) {
    this.#state = state;
    this.#watched = watched;
    this.#windows = new Map(state.windows);
    this.#progress = new Map(state.progress);
    this.#latestMs = state.latestMs;
    this.#summing = summingOf(watched.behaviors);
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
      if (this.#watched.behaviors.some((active) => active.key === key)) continue;
      this.#progress.delete(key);
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
    for (const key of this.#windows.keys()) if (!this.#summing.has(key)) this.#windows.delete(key);
  }

  take(observation: Observation): void {
    const atMs = Math.min(observation.atMs, this.#watched.nowMs);
    this.#latestMs = Math.max(this.#latestMs, atMs);
    const { metric, count, addresses, ports } = observation;
    for (const [key, actives] of this.#summing) {
      if (actives[0]?.behavior.metric === metric) this.#add(key, actives, atMs, count ?? 0);
    }
    for (const active of this.#watched.behaviors) {
      if (active.behavior.metric !== metric || windowKey(active) !== undefined) continue;
      const value = {
        ...(count === undefined ? {} : { count }),
        ...(addresses === undefined ? {} : { cidrs: [...addresses] }),
        ...(ports === undefined ? {} : { ports: [...ports] }),
      };
      this.#judge(active, { value, atMs, index: atMs });
    }
  }

  /** Ends the windows that are over by the newest time of an event. */
  settleAll(): void {
    for (const [key, actives] of this.#summing) {
      if (!this.#windows.has(key)) continue;
      this.#advance(key, actives, Math.floor(this.#latestMs / durationMs(actives)));
    }
  }

  #add(key: string, actives: readonly ActiveBehavior[], atMs: number, count: number): void {
    const index = Math.floor(atMs / durationMs(actives));
    if (!this.#windows.has(key)) this.#windows.set(key, { index, value: 0, before: undefined });
    this.#advance(key, actives, index);
    const window = this.#window(key);
    if (index === window.index) {
      const value = window.value + count;
      this.#windows.set(key, { ...window, value });
      this.#judgeEarly(key, actives, { value: { count: value }, atMs, index });
    } else if (index === window.index - 1 && window.before !== undefined) {
      this.#windows.set(key, { ...window, before: window.before + count });
    }
  }

  #advance(key: string, actives: readonly ActiveBehavior[], to: number): void {
    const from = this.#window(key).index;
    if (to - from > IDLE_WINDOWS) {
      this.#settleBefore(key, actives);
      this.#shift(key, actives);
      this.#settleBefore(key, actives);
      this.#windows.set(key, { index: to - IDLE_WINDOWS, value: 0, before: undefined });
    }
    while (this.#window(key).index < to) this.#shift(key, actives);
    const { index } = this.#window(key);
    if (this.#latestMs >= index * durationMs(actives) + GRACE_MS) this.#settleBefore(key, actives);
  }

  #shift(key: string, actives: readonly ActiveBehavior[]): void {
    this.#settleBefore(key, actives);
    const { index, value } = this.#window(key);
    this.#windows.set(key, { index: index + 1, value: 0, before: value });
  }

  #settleBefore(key: string, actives: readonly ActiveBehavior[]): void {
    const window = this.#window(key);
    if (window.before === undefined) return;
    const index = window.index - 1;
    this.#windows.set(key, { ...window, before: undefined });
    const atMs = window.index * durationMs(actives);
    for (const active of actives) {
      if (this.#progressOf(active).early === index) continue;
      this.#judge(active, { value: { count: window.before }, atMs, index });
    }
  }

  #judgeEarly(key: string, actives: readonly ActiveBehavior[], judged: Judged): void {
    for (const active of actives) {
      const progress = this.#progressOf(active);
      if (!isUpperBound(active.behavior) || progress.early === judged.index) continue;
      if (this.#violates(active, judged.value) !== true) continue;
      this.#settleBefore(key, actives);
      this.#judge(active, judged);
      this.#progress.set(active.key, { ...this.#progressOf(active), early: judged.index });
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
      this.#progress.set(key, { ...progress, learned: learn(progress.learned, count) });
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
    this.#progress.set(key, { ...before, breaches, clears: 0, alarm });
    if (begins && alarm !== undefined) this.#tell(active, judged, 'in-alarm', alarm);
  }

  #clear(active: ActiveBehavior, judged: Judged): void {
    const before = this.#progressOf(active);
    if (before.alarm === undefined) {
      if (before.breaches > 0) this.#progress.set(active.key, { ...before, breaches: 0 });
      return;
    }
    const clears = before.clears + 1;
    const ends = clears >= active.behavior.criteria.consecutiveDatapointsToClear;
    const alarm = ends ? undefined : before.alarm;
    this.#progress.set(active.key, { ...before, breaches: 0, clears: ends ? 0 : clears, alarm });
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
    return violates(behavior, value, {
      learned: this.#progress.get(key)?.learned,
      percentile: percentile === undefined ? undefined : (percent) => percentile(key, percent),
    });
  }

  #progressOf({ key }: ActiveBehavior): Progress {
    return this.#progress.get(key) ?? NO_PROGRESS;
  }

  #window(key: string): Window {
    return this.#windows.get(key) ?? { index: 0, value: 0, before: undefined };
  }
}

const indexed = new WeakMap<
  readonly ActiveBehavior[],
  ReadonlyMap<string, readonly ActiveBehavior[]>
>();

/** Behaviours by window; devices of a fleet share their behaviours, so that is found out once. */
function summingOf(
  behaviors: readonly ActiveBehavior[],
): ReadonlyMap<string, readonly ActiveBehavior[]> {
  const known = indexed.get(behaviors);
  if (known !== undefined) return known;
  const summing = new Map<string, ActiveBehavior[]>();
  for (const active of behaviors) {
    const key = windowKey(active);
    if (key === undefined) continue;
    const others = summing.get(key);
    if (others === undefined) summing.set(key, [active]);
    else others.push(active);
  }
  indexed.set(behaviors, summing);
  return summing;
}

/** Code of the metric and its duration; none for a metric of which every observation is a datapoint. */
function windowKey({ behavior: { metric, criteria } }: ActiveBehavior): string | undefined {
  if (!isMetricName(metric) || METRICS[metric].fold === 'each') return undefined;
  return `${METRICS[metric].code}${criteria.durationSeconds ?? 300}`;
}

const durationMs = (actives: readonly ActiveBehavior[]): number =>
  (actives[0]?.behavior.criteria.durationSeconds ?? 300) * 1000;
