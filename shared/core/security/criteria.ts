import { isInCidr } from './address.ts';
import type { Learned } from './device-state.ts';
import type { Behavior, ComparisonOperator, MetricValue } from './profile.ts';

/** What a datapoint is compared with besides the criteria. */
export interface Yardsticks {
  readonly learned: Learned | undefined;
  /** The value below which that percentage of the fleet's datapoints lies; none while too few are known. */
  readonly percentile: ((percent: number) => number | undefined) | undefined;
}

/** Below this many datapoints of its own, a device is not compared with itself. */
const LEARNED_FROM = 36;
/** Datapoints that the past is worth: it fades with a half-life of some days of five-minute datapoints. */
const MEMORY = 1_000;
/** Standard deviations of the logarithm; less confidence, more alarms. */
const DEVIATIONS = { LOW: 3, MEDIUM: 4, HIGH: 5 } as const;
/** A device that always does the same would alarm at the least change: an eighth is none. */
const LEAST_DEVIATION = 0.125;

/**
 * Whether a datapoint is outside of what is normal.
 *
 * @returns undefined when that cannot be said, because there is nothing yet to compare with
 */
export function violates(
  { criteria }: Behavior,
  datapoint: MetricValue,
  { learned, percentile }: Yardsticks,
): boolean | undefined {
  const { comparisonOperator, value, statisticalThreshold, mlDetectionConfig } = criteria;
  if (mlDetectionConfig !== undefined) {
    return exceeds(learned, datapoint.count ?? 0, DEVIATIONS[mlDetectionConfig.confidenceLevel]);
  }
  if (comparisonOperator === undefined) return undefined;
  if (statisticalThreshold !== undefined) {
    const bound = percentile?.(Number(statisticalThreshold.statistic.slice(1)));
    if (bound === undefined) return undefined;
    return !meets(comparisonOperator, { count: bound }, datapoint);
  }
  return value === undefined ? undefined : !meets(comparisonOperator, value, datapoint);
}

/** Whether a sum that only grows is judged before its time is over: more cannot make it normal again. */
export const isUpperBound = ({ criteria }: Behavior): boolean =>
  criteria.mlDetectionConfig !== undefined ||
  criteria.comparisonOperator === 'less-than' ||
  criteria.comparisonOperator === 'less-than-equals';

/** One more datapoint; what is far off is taken for no more than the bound, so that an attack teaches little. */
export function learn(learned: Learned | undefined, count: number): Learned {
  const seen = learned ?? { count: 0, mean: 0, squares: 0 };
  const sample = Math.log1p(count);
  const most = seen.mean + DEVIATIONS.HIGH * deviationOf(seen);
  const taken = seen.count < LEARNED_FROM ? sample : Math.min(sample, most);
  const fade = seen.count >= MEMORY ? (MEMORY - 1) / MEMORY : 1;
  const total = seen.count * fade + 1;
  const mean = seen.mean + (taken - seen.mean) / total;
  return {
    count: Math.round(total),
    mean,
    squares: seen.squares * fade + (taken - seen.mean) * (taken - mean),
  };
}

function exceeds(
  learned: Learned | undefined,
  count: number,
  deviations: number,
): boolean | undefined {
  if (learned === undefined || learned.count < LEARNED_FROM) return undefined;
  return Math.log1p(count) > learned.mean + deviations * deviationOf(learned);
}

const deviationOf = ({ count, squares }: Learned): number =>
  Math.max(LEAST_DEVIATION, count > 1 ? Math.sqrt(squares / (count - 1)) : 0);

function meets(operator: ComparisonOperator, value: MetricValue, datapoint: MetricValue): boolean {
  const count = datapoint.count ?? 0;
  const bound = value.count ?? 0;
  switch (operator) {
    case 'less-than':
      return count < bound;
    case 'less-than-equals':
      return count <= bound;
    case 'greater-than':
      return count > bound;
    case 'greater-than-equals':
      return count >= bound;
    case 'in-cidr-set':
      return (datapoint.cidrs ?? []).every((address) => isInBlocks(address, value));
    case 'not-in-cidr-set':
      return !(datapoint.cidrs ?? []).some((address) => isInBlocks(address, value));
    case 'in-port-set':
      return (datapoint.ports ?? []).every((port) => isAmongPorts(port, value));
    case 'not-in-port-set':
      return !(datapoint.ports ?? []).some((port) => isAmongPorts(port, value));
  }
}

const isInBlocks = (address: string, { cidrs = [] }: MetricValue): boolean =>
  cidrs.some((block) => isInCidr(address, block));

const isAmongPorts = (port: number, { ports = [] }: MetricValue): boolean => ports.includes(port);
