import * as z from 'zod';
import { Name } from '../names.ts';
import { ANOMALY_KINDS, type Anomaly, anomalyId, type Finder } from './anomaly.ts';
import type { DeviceReport } from './device.ts';
import { type Subject, sentenceOf } from './explain.ts';

/** An `Anomaly` as data: JSON has no infinities, and nothing that is told of holds one. */
export const AnomalyData = z.object({
  finder: z.custom<Finder>((value) => typeof value === 'string' && value.length <= 140),
  kind: z.enum(ANOMALY_KINDS),
  version: z.int().min(0),
  openedAtMs: z.number(),
  lastAtMs: z.number(),
  closedAtMs: z.number().optional(),
  score: z.number(),
  direction: z.enum(['above', 'below', 'none']),
  observed: z.number(),
  expected: z.number().optional(),
  low: z.number().optional(),
  high: z.number().optional(),
  unit: z.string().optional(),
  basis: z.enum([
    'all readings',
    'this hour of the day',
    'this hour of the week',
    'recent readings',
    'noise',
    'limit',
    'rhythm of the device',
  ]),
  points: z.array(z.object({ atMs: z.number(), value: z.number() })).readonly(),
  detail: z.string().optional(),
  readings: z.int(),
  calm: z.int(),
  level: z.number(),
  spread: z.number(),
}) satisfies z.ZodType<Anomaly>;

/**
 * One anomaly of a device or of one of its metrics, as it is recorded, published and shown: an incident that is open
 * or over, with the sentence that tells it and all that is needed to draw it.
 */
export const AnomalyRecord = AnomalyData.omit({ calm: true }).extend({
  v: z.literal(1),
  /** The same whatever is redelivered: `<thing>/<metric>/<finder>/<opened, base 36>`, each part percent-encoded. */
  id: z.string().min(1).max(2048),
  state: z.enum(['open', 'closed']),
  thing: Name,
  fleet: Name,
  /** None where it is the device itself. */
  metric: z.string().optional(),
  /** One plain sentence in English. */
  sentence: z.string(),
  /** Who has seen it, and when: set by a person, whatever the version. */
  acknowledgedBy: z.string().optional(),
  acknowledgedAtMs: z.number().optional(),
});
export type AnomalyRecord = z.infer<typeof AnomalyRecord>;

/** What is recorded and told of a report. */
export function recordOf(
  { thing, fleet }: { readonly thing: string; readonly fleet: string },
  { metric, anomaly }: DeviceReport,
): AnomalyRecord {
  const { calm: _calm, ...data } = anomaly;
  const subject: Subject = { thing, metric };
  return {
    v: 1,
    id: anomalyId(thing, metric, anomaly),
    state: anomaly.closedAtMs === undefined ? 'open' : 'closed',
    thing,
    fleet,
    ...(metric === undefined ? {} : { metric }),
    sentence: sentenceOf(subject, anomaly),
    ...data,
  };
}

/** An anomaly that was open in a state that is lost: it is over as far as anybody can say. */
export function abandoned(record: AnomalyRecord, nowMs: number): AnomalyRecord {
  const { acknowledgedBy: _by, acknowledgedAtMs: _at, ...open } = record;
  const closed = { ...open, version: open.version + 1, closedAtMs: nowMs };
  return { ...closed, state: 'closed', sentence: sentenceOf(record, { ...closed, calm: 0 }) };
}
