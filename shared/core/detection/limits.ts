import type { Anomaly, Report } from './anomaly.ts';
import { close, onlyCalm, onlyShown, open } from './incident.ts';
import type { MetricOptions, ThresholdRule } from './options.ts';
import { physicalRange } from './units.ts';

/** Readings in a row inside of a limit that end an incident. */
const CALM_READINGS = 3;

/** What a limit is asked about: one value, and the incident that is open for it. */
export interface Asked {
  readonly atMs: number;
  readonly value: number;
  readonly unit: string | undefined;
  readonly before: Anomaly | undefined;
}

/** What becomes of an incident: kept (also a rule's waiting one, without a report), or ended. */
export interface Outcome {
  readonly anomaly: Anomaly | undefined;
  readonly report: Report | undefined;
}

export const UNCHANGED: Outcome = { anomaly: undefined, report: undefined };

/** The range that holds: the narrower of what is configured and what physics allows. */
export function rangeOf(
  options: MetricOptions,
  unit: string | undefined,
): readonly [number, number] | undefined {
  const physical = physicalRange(options.unit ?? unit);
  if (options.range === undefined) return physical;
  const low = Math.max(options.range?.low ?? -Infinity, physical?.[0] ?? -Infinity);
  const high = Math.min(options.range?.high ?? Infinity, physical?.[1] ?? Infinity);
  return low === -Infinity && high === Infinity ? undefined : [low, high];
}

export function checkRange(asked: Asked, [low, high]: readonly [number, number]): Outcome {
  const { value } = asked;
  const outside = value < low || value > high;
  return limited(asked, outside, () =>
    open(asked, {
      finder: 'range',
      kind: 'out of range',
      direction: value > high ? 'above' : 'below',
      low,
      high,
    }),
  );
}

/** @param perSecond  change a second since the last reading */
export function checkRate(asked: Asked, perSecond: number, most: number): Outcome {
  return limited(asked, Math.abs(perSecond) > most, () =>
    open(asked, {
      finder: 'rate',
      kind: 'rate of change',
      direction: perSecond > 0 ? 'above' : 'below',
      low: -most,
      high: most,
      detail: `${perSecond}`,
    }),
  );
}

function limited(asked: Asked, outside: boolean, opening: () => Anomaly): Outcome {
  const { before } = asked;
  if (before === undefined) {
    if (!outside) return UNCHANGED;
    const anomaly = opening();
    return { anomaly, report: { change: 'opens', anomaly } };
  }
  if (outside) return { anomaly: onlyShown(before, asked), report: undefined };
  const calmer = onlyCalm(before);
  return calmer.calm < CALM_READINGS
    ? { anomaly: calmer, report: undefined }
    : ended(before, asked);
}

function ended(before: Anomaly, { atMs }: Asked): Outcome {
  const anomaly = close(before, atMs);
  return { anomaly: undefined, report: { change: 'closes', anomaly } };
}

/**
 * A configured threshold. Beyond it the rule waits (version 0, unreported) for `forMs`, then opens; it closes once the
 * value is back at `clear`.
 */
export function checkRule(asked: Asked, rule: ThresholdRule): Outcome {
  const { before, value, atMs } = asked;
  const beyond = rule.above === undefined ? value < (rule.below ?? -Infinity) : value > rule.above;
  if (before === undefined) return beyond ? begun(asked, rule) : UNCHANGED;
  if (before.version === 0) {
    if (!beyond) return UNCHANGED;
    return risen(before, asked, rule);
  }
  const clear = rule.clear ?? rule.above ?? rule.below ?? value;
  const over = rule.above === undefined ? value >= clear : value <= clear;
  if (!over) return { anomaly: onlyShown(before, { atMs, value }), report: undefined };
  return ended(before, asked);
}

function begun(asked: Asked, rule: ThresholdRule): Outcome {
  const { above, below, name, forMs = 0 } = rule;
  const waiting: Anomaly = {
    ...open(asked, {
      finder: `rule ${name}`,
      kind: 'rule',
      direction: above === undefined ? 'below' : 'above',
      low: below ?? Number.NEGATIVE_INFINITY,
      high: above ?? Number.POSITIVE_INFINITY,
      detail: name,
    }),
    version: 0,
  };
  return forMs === 0 ? risen(waiting, asked, rule) : { anomaly: waiting, report: undefined };
}

function risen(waiting: Anomaly, asked: Asked, { forMs = 0 }: ThresholdRule): Outcome {
  const shown = onlyShown(waiting, asked);
  if (asked.atMs - waiting.openedAtMs < forMs) return { anomaly: shown, report: undefined };
  const anomaly = { ...shown, version: 1 };
  return { anomaly, report: { change: 'opens', anomaly } };
}
