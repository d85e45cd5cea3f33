import * as z from 'zod';
import type { Detector } from './detector-model.ts';

const EventValue = z.union([
  z.object({ type: z.literal('integer'), value: z.number() }),
  z.object({ type: z.literal('decimal'), value: z.number() }),
  z.object({ type: z.literal('boolean'), value: z.boolean() }),
  z.object({ type: z.literal('string'), value: z.string() }),
  z.object({ type: z.enum(['null', 'undefined']) }),
]);
const Values = z.record(z.string(), EventValue);

/** Detectors by the names of their models, as they are kept. */
export const Detectors: z.ZodType<Readonly<Record<string, Detector>>> = z.record(
  z.string(),
  z.object({
    state: z.string(),
    variables: Values,
    inputs: z.record(z.string(), Values),
    timers: z.record(z.string(), z.object({ dueMs: z.number(), seconds: z.number() })),
  }),
);
