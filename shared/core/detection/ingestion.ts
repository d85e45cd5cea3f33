import * as z from 'zod';
import { beat, firstPulse, type Outage, type Pulse, silenceLimitMs } from './pulse.ts';

/*
 * Whether readings come in at all. Nobody is silent because we do not listen: what was not ingested is told apart from
 * what was not sent by looking at all devices together.
 */

/** How far a shard of the stream was read. */
export const Mark = z.object({
  shard: z.string(),
  /** When the last record of it that was read had arrived, and when it was read. */
  arrivedAtMs: z.number(),
  readAtMs: z.number(),
  /** Devices lately heard through it, up to `DEVICES_COUNTED`. */
  devices: z.number(),
});
export type Mark = z.infer<typeof Mark>;

export const DEVICES_COUNTED = 8;

/** What is kept between two sweeps. */
export const Ingestion = z.object({
  pulse: z
    .object({
      lastMs: z.number(),
      intervals: z.number(),
      log2Ms: z.number(),
      log2Spread: z.number(),
      longestMs: z.number(),
    })
    .optional(),
  /** The last ones, in the order of time. */
  outages: z.array(z.object({ fromMs: z.number(), untilMs: z.number() })),
  isDown: z.boolean(),
  /** Devices that were heard when any was. */
  devices: z.number(),
});
export type Ingestion = z.infer<typeof Ingestion>;

export const NEVER_INGESTED: Ingestion = { outages: [], isDown: false, devices: 0 };

/** A shard is behind that was read lately and had kept its records waiting for so long. */
const BEHIND_MS = 2 * 60_000;
const LATELY_MS = 15 * 60_000;
/** Marks of shards that are no more. */
const STALE_MS = 86_400_000;
/** One device that is silent is a silent device, however little else there is. */
const DEVICES_LEAST = 2;
const OUTAGES_MAX = 32;
/** Two outages that are so close are one. */
const SAME_OUTAGE_MS = 5 * 60_000;

export interface Seen {
  readonly ingestion: Ingestion;
  /** Why nobody can be called silent now; none while all is well. */
  readonly down: string | undefined;
}

/** Looks at the marks once: a pulse of all devices together, and the times in which there was none. */
export function watchIngestion(before: Ingestion, marks: readonly Mark[], nowMs: number): Seen {
  const live = marks.filter(({ readAtMs }) => nowMs - readAtMs < STALE_MS);
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...live.map(({ readAtMs }) => readAtMs));
  const pulse = nextPulse(before, newest);
  const behind = live.filter(
    ({ arrivedAtMs, readAtMs }) =>
      nowMs - readAtMs < LATELY_MS && readAtMs - arrivedAtMs > BEHIND_MS,
  );
  const limit = before.pulse === undefined ? undefined : silenceLimitMs(before.pulse);
  const heard = live.reduce((sum, mark) => sum + mark.devices, 0);
  const devices = heard === 0 ? before.devices : heard;
  const lastMs = before.pulse?.lastMs ?? newest;
  const quietMs = Math.max(newest, lastMs) - lastMs;
  const isQuiet =
    limit !== undefined && devices >= DEVICES_LEAST && nowMs - Math.max(newest, lastMs) > limit;
  // an outage that began and ended between two sweeps is seen in the pulse only
  const wasQuiet = limit !== undefined && devices >= DEVICES_LEAST && quietMs > limit;
  const fromMs = Math.min(
    isQuiet ? Math.max(newest, lastMs) : Number.POSITIVE_INFINITY,
    ...behind.map(({ arrivedAtMs }) => arrivedAtMs),
  );
  const isDown = isQuiet || behind.length > 0;
  const outages = [
    ...(wasQuiet ? [{ fromMs: lastMs, untilMs: newest }] : []),
    ...(isDown ? [{ fromMs, untilMs: nowMs }] : []),
    ...(before.isDown && !isDown
      ? [{ fromMs: lastOutage(before)?.untilMs ?? nowMs, untilMs: nowMs }]
      : []),
  ].reduce(withOutage, before.outages);
  return {
    ingestion: {
      ...(pulse === undefined ? {} : { pulse }),
      outages: outages.slice(-OUTAGES_MAX),
      isDown,
      devices,
    },
    down: isQuiet
      ? 'no reading of any device is read'
      : behind.length > 0
        ? `behind in ${behind.map(({ shard }) => shard).join(', ')}`
        : undefined,
  };
}

function nextPulse({ pulse }: Ingestion, newest: number): Pulse | undefined {
  if (!Number.isFinite(newest)) return pulse;
  return pulse === undefined ? firstPulse(newest) : beat(pulse, newest);
}

const lastOutage = ({ outages }: Ingestion): Outage | undefined => outages.at(-1);

function withOutage(outages: readonly Outage[], next: Outage): Outage[] {
  const last = outages.at(-1);
  if (last === undefined || next.fromMs > last.untilMs + SAME_OUTAGE_MS) return [...outages, next];
  const joined = {
    fromMs: Math.min(last.fromMs, next.fromMs),
    untilMs: Math.max(last.untilMs, next.untilMs),
  };
  return [...outages.slice(0, -1), joined];
}
