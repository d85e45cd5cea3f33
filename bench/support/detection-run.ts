import type { Fault } from '../../local/fleet/faults.ts';
import type { Scenario } from '../../local/fleet/scenario.ts';
import type { AnomalyKind } from '../../shared/core/detection/anomaly.ts';
import {
  checkSilence,
  type DeviceReport,
  type DeviceState,
  newDevice,
  observeDevice,
} from '../../shared/core/detection/device.ts';
import type { MetricOptions } from '../../shared/core/detection/options.ts';
import { deadlineOf } from '../../shared/core/detection/pulse.ts';

/** Kinds by which a fault may be called; the first is the best. */
export const KINDS_OF: Readonly<Record<Fault, readonly AnomalyKind[]>> = {
  spike: ['spike'],
  'level-shift': ['level shift', 'spike'],
  drift: ['drift', 'level shift', 'spike'],
  stuck: ['stuck value'],
  noise: ['noise change', 'spike', 'level shift'],
  range: ['out of range'],
  rate: ['rate of change'],
  unit: ['unit change'],
  'missing-metric': ['missing metric'],
  silent: ['silent device'],
  'clock-jump': ['clock jump'],
  clone: ['two connections'],
};

/** What was told, and after which reading. */
export interface Told extends DeviceReport {
  readonly atMs: number;
}

/** Runs a scenario reading by reading, with a look after silent devices whenever a deadline passes. */
export function run({ readings, options }: Scenario): {
  told: readonly Told[];
  state: DeviceState;
} {
  const optionsOf = (metric: string): MetricOptions => (metric === 'value' ? options : {});
  let state = newDevice();
  const told: Told[] = [];
  for (const reading of readings) {
    const deadline = state.pulse === undefined ? undefined : deadlineOf(state.pulse);
    if (deadline !== undefined && deadline < reading.receivedAtMs) {
      const silence = checkSilence(state, deadline);
      state = silence.state;
      if (silence.report !== undefined) told.push({ ...silence.report, atMs: deadline });
    }
    const outcome = observeDevice(state, [reading], optionsOf);
    state = outcome.state;
    for (const report of outcome.reports) told.push({ ...report, atMs: reading.receivedAtMs });
  }
  return { told, state };
}

export interface Found {
  readonly kind: AnomalyKind | undefined;
  /** Readings from the fault's beginning to its first mention under a fitting kind. */
  readonly delayMs: number;
  readonly falseAlarms: number;
}

/** How a fault was found; what opens outside of it and a day after is a false alarm. */
export function found(made: Scenario, told: readonly Told[]): Found {
  const { fault, fromMs, untilMs } = made;
  const kinds = fault === undefined ? [] : KINDS_OF[fault];
  const within = (atMs: number) => atMs >= fromMs && atMs <= untilMs + 86_400_000;
  const hit = told.find(
    ({ change, anomaly, atMs }) =>
      change !== 'closes' && within(atMs) && kinds.includes(anomaly.kind),
  );
  const falseAlarms = told.filter(
    ({ change, atMs }) => change === 'opens' && (fault === undefined || !within(atMs)),
  ).length;
  return { kind: hit?.anomaly.kind, delayMs: (hit?.atMs ?? Number.NaN) - fromMs, falseAlarms };
}
