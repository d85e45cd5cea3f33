import type { DeviceState } from './device-state.ts';
import type { Finding } from './finding.ts';
import { isMetricName, METRICS } from './metrics.ts';
import type { ActiveBehavior } from './profile.ts';
import { type Watched, watch } from './watch.ts';

/** A device that was not heard of for so long is silent: longer than events are late. */
export const SILENT_MS = 600_000;
/** Where each message is a datapoint, silence brings none: after this, the alarm is no more than a memory. */
const FORGET_MS = 3_600_000;

/**
 * Ends the alarms of a device that is silent. Where datapoints are sums, silence is zero messages in each window, and
 * the alarm is cleared as soon as that many windows are over; where each message is a datapoint, it is invalidated
 * after an hour.
 *
 * Nothing else of the state moves on: should events be late after all, their windows are as they were.
 */
export function endSilentAlarms(
  state: DeviceState,
  watched: Watched,
): { readonly state: DeviceState; readonly findings: readonly Finding[] } {
  const silentMs = watched.nowMs - state.latestMs;
  if (silentMs < SILENT_MS) return { state, findings: [] };
  const outcome = watch({ ...state, latestMs: watched.nowMs }, [], watched);
  const cleared = outcome.findings.filter(
    ({ violationEventType }) => violationEventType !== 'in-alarm',
  );
  const forgotten = silentMs < FORGET_MS ? [] : forgottenOf(outcome.state, watched);
  const findings = [...cleared, ...forgotten];
  const ended = new Set(findings.map(({ violationId }) => violationId));
  if (ended.size === 0) return { state, findings };
  const progress = new Map(
    [...state.progress].map(([key, one]) => [
      key,
      one.alarm !== undefined && ended.has(one.alarm)
        ? { ...one, alarm: undefined, breaches: 0, clears: 0 }
        : one,
    ]),
  );
  return { state: { ...state, progress }, findings };
}

/** Alarms of behaviours that have a datapoint a message. */
function forgottenOf(state: DeviceState, { thing, behaviors, nowMs }: Watched): Finding[] {
  return behaviors.flatMap((active) => {
    const alarm = state.progress.get(active.key)?.alarm;
    if (alarm === undefined || !isEach(active)) return [];
    const { name, metric, criteria } = active.behavior;
    return [
      {
        violationEventTime: nowMs,
        thingName: thing,
        behavior: { criteria, name, metric },
        violationEventType: 'alarm-invalidated',
        violationId: alarm,
        securityProfileName: active.profile,
      },
    ];
  });
}

const isEach = ({ behavior: { metric } }: ActiveBehavior): boolean =>
  isMetricName(metric) && METRICS[metric].fold === 'each';
