import { createHash } from 'node:crypto';
import * as z from 'zod';
import { CONFIDENCE, MetricValue } from './profile.ts';

/**
 * A finding as Device Defender Detect publishes it to SNS. The criteria are what is normal: 54 for `less-than 10` is
 * a violation. Members that AWS adds are dropped.
 *
 * @see AWS IoT API Reference, ViolationEvent, Behavior
 */
export const Finding = z.object({
  /** Milliseconds since the Unix epoch. */
  violationEventTime: z.int().nonnegative(),
  /** The client id of a device that is not registered. */
  thingName: z.string().min(1).max(128),
  behavior: z.object({
    name: z.string().min(1).max(128),
    metric: z.string().max(128).optional(),
    criteria: z.record(z.string(), z.unknown()).optional(),
    suppressAlerts: z.boolean().optional(),
  }),
  violationEventType: z.enum(['in-alarm', 'alarm-cleared', 'alarm-invalidated']),
  /** Absent when an alarm is invalidated, and for what is learned. */
  metricValue: MetricValue.optional(),
  violationId: z.string().min(1).max(128),
  securityProfileName: z.string().min(1).max(128),
  violationEventAdditionalInfo: z
    .object({ confidenceLevel: z.enum(CONFIDENCE).optional() })
    .optional(),
});
export type Finding = z.infer<typeof Finding>;

/** The same for an alarm and for its end, whoever computes it, and however often. */
export const violationId = (
  thing: string,
  profile: string,
  behavior: string,
  datapoint: number,
): string =>
  createHash('sha256')
    .update(JSON.stringify([thing, profile, behavior, datapoint]))
    .digest('hex')
    .slice(0, 32);
