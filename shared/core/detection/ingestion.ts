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
  outages: z.array(z.object({ fromMs: z.number(), untilMs: z.number() })).readonly(),
  isDown: z.boolean(),
  /** The most devices that were heard in about a day, and when. */
  devices: z.number(),
  devicesAtMs: z.number(),
});
export type Ingestion = z.infer<typeof Ingestion>;

export const NEVER_INGESTED: Ingestion = {
  outages: [],
  isDown: false,
  devices: 0,
  devicesAtMs: 0,
};

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
  const knownMs = before.pulse?.lastMs ?? Number.NEGATIVE_INFINITY;
  const newestMs = Math.max(knownMs, ...live.map(({ readAtMs }) => readAtMs));
  const limitMs = (before.pulse && silenceLimitMs(before.pulse)) ?? Number.POSITIVE_INFINITY;
  const heard = heardDevices(before, live, nowMs);
  const behind = live.filter(
    ({ arrivedAtMs, readAtMs }) =>
      nowMs - readAtMs < LATELY_MS && readAtMs - arrivedAtMs > BEHIND_MS,
  );
  const isQuiet = heard.devices >= DEVICES_LEAST && nowMs - newestMs > limitMs;
  const isDown = isQuiet || behind.length > 0;
  const found: Outage[] = [];
  // one that began and ended between two sweeps is seen in the pulse only
  if (before.devices >= DEVICES_LEAST && newestMs - knownMs > limitMs) {
    found.push({ fromMs: knownMs, untilMs: newestMs });
  }
  if (isQuiet) found.push({ fromMs: newestMs, untilMs: nowMs });
  for (const { arrivedAtMs } of behind) found.push({ fromMs: arrivedAtMs, untilMs: nowMs });
  const last = before.outages.at(-1);
  if (before.isDown && last !== undefined) found.push({ fromMs: last.untilMs, untilMs: nowMs });
  const outages = found.reduce(withOutage, before.outages).slice(-OUTAGES_MAX);
  const pulse = nextPulse(before, newestMs);
  const why = isQuiet
    ? 'nothing is read, of whatever device'
    : `behind in ${behind.map(({ shard }) => shard).join(', ')}`;
  return {
    ingestion: { ...(pulse === undefined ? {} : { pulse }), outages, isDown, ...heard },
    down: isDown ? why : undefined,
  };
}

/** A container that is new has heard few devices yet: the most of a day counts. */
function heardDevices(
  before: Ingestion,
  live: readonly Mark[],
  nowMs: number,
): Pick<Ingestion, 'devices' | 'devicesAtMs'> {
  const devices = live.reduce((sum, mark) => sum + mark.devices, 0);
  const isFewer = devices < before.devices && nowMs - before.devicesAtMs < STALE_MS;
  if (devices > 0 && !isFewer) return { devices, devicesAtMs: nowMs };
  return { devices: before.devices, devicesAtMs: before.devicesAtMs };
}

function nextPulse({ pulse }: Ingestion, newest: number): Pulse | undefined {
  if (!Number.isFinite(newest)) return pulse;
  return pulse === undefined ? firstPulse(newest) : beat(pulse, newest);
}

function withOutage(outages: readonly Outage[], next: Outage): readonly Outage[] {
  const last = outages.at(-1);
  if (last === undefined || next.fromMs > last.untilMs + SAME_OUTAGE_MS) return [...outages, next];
  const joined = {
    fromMs: Math.min(last.fromMs, next.fromMs),
    untilMs: Math.max(last.untilMs, next.untilMs),
  };
  return [...outages.slice(0, -1), joined];
}
