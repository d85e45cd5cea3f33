import * as z from 'zod';
import { DEFAULT_LADDER, Ladder } from '../../shared/core/security/containment.ts';
import { LogLevel, ResourceName } from '../../shared/lambda/environment.ts';

const names = z
  .string({ error: 'wants names, separated by commas' })
  .transform((text): ReadonlySet<string> => new Set(text.split(',').filter((name) => name !== '')));

const HOURS_WANTED = 'wants two hours of the day (UTC), such as 22-6; 0-0 is never';
const LADDER_WANTED = 'wants default, or JSON of causes and notify, quarantine or cut-off';

export const SETTINGS = {
  INCIDENTS_TABLE: ResourceName,
  FINDINGS_TOPIC: ResourceName,
  NOTIFICATIONS_TOPIC: ResourceName,
  DEAD_LETTER_QUEUE: ResourceName,
  QUARANTINE_POLICY: ResourceName,
  /** Name of an event bus, or `none`. */
  EVENT_BUS: ResourceName,
  CONTAINMENT: z.enum(['propose', 'contain'], { error: 'wants propose or contain' }),
  /** `default`, or JSON: by cause, how far containment may go. */
  LADDER: z
    .string({ error: LADDER_WANTED })
    .transform((text, context): unknown => {
      if (text === 'default') return DEFAULT_LADDER;
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue(LADDER_WANTED);
        return z.NEVER;
      }
    })
    .pipe(Ladder),
  SPARED_THINGS: names,
  SUPPRESSED_BEHAVIORS: names,
  QUIET_HOURS: z
    .string({ error: HOURS_WANTED })
    .regex(/^(?:\d|1\d|2[0-3])-(?:\d|1\d|2[0-3])$/, HOURS_WANTED)
    .transform((text) => {
      const [fromHour = 0, toHour = 0] = text.split('-').map(Number);
      return { fromHour, toHour };
    }),
  /** Alerts within five minutes. */
  ALERTS_LIMIT: z
    .string({ error: 'wants a number of alerts' })
    .regex(/^\d{1,4}$/, 'wants a number of alerts')
    .transform(Number),
  LOG_LEVEL: LogLevel,
} as const;
