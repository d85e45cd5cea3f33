import { DEVICE_FAULTS, FAULTS, type Fault } from '../local/fleet/faults.ts';
import type { FaultRequest } from '../local/fleet/fleet.ts';
import { CLIMATE } from '../local/fleet/simulated-device.ts';
import { UsageError } from './command.ts';
import { lengthMs } from './length.ts';

const METRICS = Object.keys(CLIMATE);
const [FIRST_METRIC = ''] = METRICS;
const SHAPE = '<kind>:<device>[:<metric>][@<from>[-<to>]]';

export const FAULT_USAGE = `  --fault <fault>    lets a simulated device misbehave, as often as wanted: ${SHAPE}
                     kinds    ${FAULTS.slice(0, 8).join(', ')},
                              ${FAULTS.slice(8).join(', ')}
                     metrics  ${METRICS.join(', ')}; without one, ${FIRST_METRIC}
                     times    since the device is on, as 45s or 5m; without them, from 10s on`;

const DEFAULT_AFTER_MS = 10_000;
const SECOND_MS = 1000;

/** How long a fault lasts that has no end of its own: until it is found, and then some. */
function usualLengthMs(fault: Fault, intervalMs: number): number {
  if (fault === 'spike' || fault === 'range' || fault === 'rate') return 3 * intervalMs;
  return fault === 'silent' ? 1200 * SECOND_MS : 120 * SECOND_MS;
}

/**
 * What `--fault` asks for, like `stuck:sensor-3:temperature@30s-3m`.
 *
 * @param devices  names of the devices that can have one
 * @throws {UsageError} naming the part that is wrong, and what would be right
 */
export function readFault(
  text: string,
  devices: readonly string[],
  intervalMs: number,
): FaultRequest {
  const [what = '', when, ...more] = text.split('@');
  const [kind = '', thing = '', metric, ...rest] = what.split(':');
  if (thing === '' || more.length > 0 || rest.length > 0) {
    throw new UsageError(`--fault wants ${SHAPE}, as in stuck:sensor-3, not ${text}.`);
  }
  const fault = oneOf(FAULTS, kind, `--fault ${text}: no kind of fault is called`);
  oneOf(devices, thing, `--fault ${text}: no simulated device that can have one is called`);
  if (metric !== undefined && DEVICE_FAULTS.includes(fault)) {
    throw new UsageError(
      `--fault ${text}: ${fault} is of a whole device, so it is ${fault}:${thing}.`,
    );
  }
  oneOf(METRICS, metric ?? FIRST_METRIC, `--fault ${text}: ${thing} has no metric`);
  const { afterMs, untilMs } = readTimes(text, when);
  return {
    thing,
    fault,
    metric: metric ?? FIRST_METRIC,
    afterMs,
    lastsMs: untilMs === undefined ? usualLengthMs(fault, intervalMs) : untilMs - afterMs,
  };
}

function oneOf<T extends string>(known: readonly T[], name: string, complaint: string): T {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  throw new UsageError(`${complaint} '${name}'; there are ${known.join(', ')}.`);
}

function readTimes(text: string, when: string | undefined) {
  if (when === undefined) return { afterMs: DEFAULT_AFTER_MS, untilMs: undefined };
  const [from = '', to, ...more] = when.split('-');
  const afterMs = lengthMs(from);
  const untilMs = to === undefined ? undefined : lengthMs(to);
  if (afterMs === undefined || (to !== undefined && untilMs === undefined) || more.length > 0) {
    throw new UsageError(`--fault ${text}: times are as in @30s or @30s-3m, not @${when}.`);
  }
  if (untilMs !== undefined && untilMs <= afterMs) {
    throw new UsageError(`--fault ${text}: it would be over before it begins.`);
  }
  return { afterMs, untilMs };
}
