import * as z from 'zod';
import { fetchText } from '../../shared/adapters/fetch-text.ts';
import { keyRing } from '../../shared/adapters/lorawan/key-ring.ts';
import { denials } from '../../shared/adapters/security/denials.ts';
import type { Dynamo } from '../../shared/adapters/tables.ts';
import { SECONDS } from '../../shared/core/access/answer.ts';
import { parseIssuers } from '../../shared/core/access/issuer.ts';
import { LogLevel, ResourceName } from '../../shared/lambda/environment.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { now, writeLine } from '../../shared/lambda/process.ts';
import type { AuthorizeDeps } from './authorize.ts';

/** Of the five seconds that AWS IoT waits; a key set of sixteen keys takes about 12 kB. */
const KEYS_LIMITS = { timeoutMs: 2_000, bytes: 65_536 } as const;

const REFRESH_WANTED = `wants seconds, ${SECONDS.least} to ${SECONDS.most}`;

/** The environment of every authorizer. */
export const COMMON_SETTINGS = {
  STAGE: ResourceName,
  /** JSON, see `parseIssuers`. */
  ISSUERS: z.string({ error: 'wants a JSON list of issuers' }),
  /** Names of domains that policies are bound to, separated by commas; none binds them to none. */
  DOMAINS: z
    .string({ error: 'wants names of domains, separated by commas' })
    .transform((text) => text.split(',').filter((name) => name !== '')),
  REFRESH_SECONDS: z
    .string({ error: REFRESH_WANTED })
    .regex(/^\d{3,5}$/, REFRESH_WANTED)
    .transform(Number)
    .refine((seconds) => seconds >= SECONDS.least && seconds <= SECONDS.most, REFRESH_WANTED),
  INCIDENTS_TABLE: ResourceName,
  LOG_LEVEL: LogLevel,
} as const;

type Common = z.output<z.ZodObject<typeof COMMON_SETTINGS>>;

/** What authorizers have in common. */
export const commonDeps = (
  settings: Common,
  db: Dynamo,
): Omit<AuthorizeDeps, 'accepts' | 'whoseSecret'> => ({
  issuers: parseIssuers(settings.ISSUERS),
  keys: keyRing((url) => fetchText(url, KEYS_LIMITS), now),
  denialOf: denials(db, settings.INCIDENTS_TABLE),
  stage: settings.STAGE,
  domains: settings.DOMAINS,
  refreshSeconds: settings.REFRESH_SECONDS,
  log: createLog(settings.LOG_LEVEL, writeLine, now),
  now,
});
