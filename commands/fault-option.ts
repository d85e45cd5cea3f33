import { DEVICE_FAULTS, FAULTS, type Fault } from '../local/fleet/faults.ts';
import type { FaultRequest } from '../local/fleet/fleet.ts';
import { CLIMATE } from '../local/fleet/simulated-device.ts';
import { UsageError } from './command.ts';
import { lengthMs } from './length.ts';

const SHAPE = '<kind>:<device>[:<metric>][@<from>[-<to>]]';

/** A simulated device as far as faults are concerned. */
export interface FaultyDevice {
  readonly thing: string;
  /** The first is meant where none is named. */
  readonly metrics: readonly string[];
  readonly faults: readonly Fault[];
  readonly intervalMs: number;
  /** When a fault begins that has no time of its own: once the device is known. */
  readonly afterMs: number;
}

export const FAULT_USAGE = `  --fault <fault>    lets a simulated device misbehave, as often as wanted: ${SHAPE}
                     kinds    ${FAULTS.slice(0, 8).join(', ')},
                              ${FAULTS.slice(8).join(', ')}
                     devices  sensor-1 to sensor-6; radio-1 and radio-2, which have no past to send
                     metrics  ${Object.keys(CLIMATE).join(', ')}; without one, the first
                     times    since the device is on, as @45s or @30s-5m; without them, once it is known`;

const SECOND_MS = 1000;
/** Readings until a fault is found that takes some, and then some. */
const USUAL_READINGS = 60;
const FEW_READINGS = 3;

/** How long a fault lasts that has no end of its own. */
function usualLengthMs(fault: Fault, intervalMs: number): number {
  if (fault === 'silent') return 1200 * SECOND_MS;
  const isShort = fault === 'spike' || fault === 'range' || fault === 'rate';
  return intervalMs * (isShort ? FEW_READINGS : USUAL_READINGS);
}

/**
 * What `--fault` asks for, like `stuck:sensor-3:temperature@30s-3m`.
 *
 * @throws {UsageError} naming the part that is wrong, and what would be right
 */
export function readFault(text: string, devices: readonly FaultyDevice[]): FaultRequest {
  const [what = '', when, ...more] = text.split('@');
  const [kind = '', thing = '', named, ...rest] = what.split(':');
  if (thing === '' || more.length > 0 || rest.length > 0) {
    throw new UsageError(`--fault wants ${SHAPE}, as in stuck:sensor-3, not ${text}.`);
  }
  const fault = oneOf(FAULTS, kind, `--fault ${text}: no kind of fault is called`);
  const things = devices.map((device) => device.thing);
  oneOf(things, thing, `--fault ${text}: no simulated device is called`);
  const device = devices.find((one) => one.thing === thing);
  const { metrics = [], faults = [], intervalMs = 0, afterMs = 0 } = device ?? {};
  oneOf(faults, fault, `--fault ${text}: of ${thing} there is no`);
  if (named !== undefined && DEVICE_FAULTS.includes(fault)) {
    throw new UsageError(
      `--fault ${text}: ${fault} is of a whole device, so it is ${fault}:${thing}.`,
    );
  }
  const [first = ''] = metrics;
  const metric = oneOf(metrics, named ?? first, `--fault ${text}: ${thing} has no metric`);
  const times = readTimes(text, when);
  const fromMs = times?.fromMs ?? afterMs;
  const untilMs = times?.untilMs ?? fromMs + usualLengthMs(fault, intervalMs);
  return { thing, fault, metric, afterMs: fromMs, lastsMs: untilMs - fromMs };
}

function oneOf<T extends string>(known: readonly T[], name: string, complaint: string): T {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  throw new UsageError(`${complaint} '${name}'; there are ${known.join(', ')}.`);
}

function readTimes(text: string, when: string | undefined) {
  if (when === undefined) return undefined;
  const [from = '', to, ...more] = when.split('-');
  const fromMs = lengthMs(from);
  const untilMs = to === undefined ? undefined : lengthMs(to);
  if (fromMs === undefined || (to !== undefined && untilMs === undefined) || more.length > 0) {
    throw new UsageError(`--fault ${text}: times are as in @30s or @30s-3m, not @${when}.`);
  }
  if (untilMs !== undefined && untilMs <= fromMs) {
    throw new UsageError(`--fault ${text}: it would be over before it begins.`);
  }
  return { fromMs, untilMs };
}
