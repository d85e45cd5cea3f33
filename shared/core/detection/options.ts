import * as z from 'zod';

const Finite = z.number().refine(Number.isFinite, 'wants a finite number');

/** A threshold with hysteresis: it opens beyond `above` (or `below`), and closes at `clear`. */
export const ThresholdRule = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9 _-]{1,64}$/, 'wants 1 to 64 of A-Z a-z 0-9 space _ -'),
    above: Finite.optional(),
    below: Finite.optional(),
    /** Where it is over; without it, the threshold itself. */
    clear: Finite.optional(),
    /** How long the value must be beyond before it counts. */
    forMs: z.int().min(0).optional(),
  })
  .superRefine(({ above, below, clear }, context) => {
    if ((above === undefined) === (below === undefined)) {
      context.addIssue('wants one of above and below');
    }
    if (clear === undefined) return;
    if (above !== undefined && clear > above) {
      context.addIssue({ code: 'custom', path: ['clear'], message: 'is over the threshold' });
    }
    if (below !== undefined && clear < below) {
      context.addIssue({ code: 'custom', path: ['clear'], message: 'is under the threshold' });
    }
  });
export type ThresholdRule = z.infer<typeof ThresholdRule>;

/**
 * What may be set of a metric; all of it may be left out. Settings of a fleet, a device type and a metric are merged,
 * the nearest first.
 */
export const MetricOptions = z.strictObject({
  kind: z.enum(['gauge', 'counter', 'boolean', 'unwatched']).optional(),
  unit: z.string().min(1).max(32).optional(),
  /** What the sensor can measure or the process may have; outside of it a value is wrong whatever is usual. */
  range: z.strictObject({ low: Finite.optional(), high: Finite.optional() }).optional(),
  maxRatePerSecond: z.number().positive().optional(),
  direction: z.enum(['both', 'above', 'below']).optional(),
  /** False alarms of the learned ranges that are accepted of a device in a month. */
  falseAlarmsPerMonth: z.number().positive().max(100_000).optional(),
  mutedUntilMs: z.int().min(0).optional(),
  rules: z.array(ThresholdRule).max(16).optional(),
});
export type MetricOptions = z.infer<typeof MetricOptions>;

/** @param layers  from the nearest (metric) to the farthest (fleet) */
export const mergeOptions = (layers: readonly MetricOptions[]): MetricOptions =>
  Object.assign({}, ...layers.toReversed());
