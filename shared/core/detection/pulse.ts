import type { Anomaly, Report } from './anomaly.ts';
import { close, open } from './incident.ts';

/*
 * When a device last spoke and how long it may be silent. Times are those of the cloud: a device that sends what it
 * has buffered is alive, whatever its clock says.
 */

export interface Pulse {
  readonly lastMs: number;
  /** Intervals seen, up to 1000. */
  readonly intervals: number;
  /** Mean logarithm (base 2) of the intervals in ms, and the mean distance from it. */
  readonly log2Ms: number;
  readonly log2Spread: number;
  /** The longest silence; forgotten by halves over some hundred intervals. */
  readonly longestMs: number;
}

const WARM_UP_INTERVALS = 8;

const INTERVALS_MAX = 1000;
const GAIN = 0.05;
const FORGET = 0.995;
/** What comes within the same second is one message in pieces. */
const BURST_MS = 1000;
const SPREADS = 4;
const LONGEST_FACTOR = 1.5;
const LEAST_MS = 2 * 60_000;
const MOST_MS = 14 * 86_400_000;

export const firstPulse = (atMs: number): Pulse => ({
  lastMs: atMs,
  intervals: 0,
  log2Ms: 0,
  log2Spread: 0,
  longestMs: 0,
});

/** The pulse after a sign of life; one received before the last changes nothing. */
export function beat(pulse: Pulse, atMs: number): Pulse {
  const interval = atMs - pulse.lastMs;
  if (!(interval > 0)) return pulse;
  if (interval < BURST_MS) return { ...pulse, lastMs: atMs };
  const log = Math.log2(interval);
  const gain = Math.max(GAIN, 1 / (pulse.intervals + 1));
  const distance = pulse.intervals === 0 ? 0 : log - pulse.log2Ms;
  const silent = silenceLimitMs(pulse);
  return {
    lastMs: atMs,
    intervals: Math.min(INTERVALS_MAX, pulse.intervals + 1),
    log2Ms: Math.fround(pulse.intervals === 0 ? log : pulse.log2Ms + gain * clamp(distance, 3)),
    log2Spread: Math.fround(
      pulse.log2Spread + gain * (Math.min(3, Math.abs(distance)) - pulse.log2Spread),
    ),
    longestMs: Math.fround(
      Math.max(FORGET * pulse.longestMs, Math.min(interval, 2 * (silent ?? interval))),
    ),
  };
}

const clamp = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));

/** Milliseconds of silence that this device may keep; nothing before its rhythm is known. */
export function silenceLimitMs({
  intervals,
  log2Ms,
  log2Spread,
  longestMs,
}: Pulse): number | undefined {
  if (intervals < WARM_UP_INTERVALS) return undefined;
  const usual = 3 * 2 ** (log2Ms + SPREADS * log2Spread);
  return Math.min(MOST_MS, Math.max(LEAST_MS, usual, LONGEST_FACTOR * longestMs));
}

const QUARTER_MS = 15 * 60_000;

/**
 * When to look after the device: the end of the time slot in which its silence becomes too long. Slots are a quarter of
 * that silence wide, at least a quarter of an hour, so that the index is written only when the slot changes.
 */
export function deadlineOf(pulse: Pulse): number | undefined {
  const limit = silenceLimitMs(pulse);
  if (limit === undefined) return undefined;
  const slot = Math.max(1, Math.round(limit / 4 / QUARTER_MS)) * QUARTER_MS;
  return Math.ceil((pulse.lastMs + limit) / slot) * slot;
}

export const DEADLINE_SHARDS = 16;

/** The deadline index's partition of a device: FNV-1a of its name, 32 bits. */
export function deadlineShard(thing: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < thing.length; at += 1) {
    hash = Math.imul(hash ^ thing.charCodeAt(at), 0x01000193);
  }
  return ((hash >>> 16) ^ (hash & 0xffff)) % DEADLINE_SHARDS;
}

/** A time in which nothing at all was ingested, or not all of it: `untilMs` is when the backlog was done. */
export interface Outage {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Whether a device is silent: for longer than it may, not counting when the ingestion itself was down.
 *
 * @param outages  known outages; the present one ends at `nowMs` or later
 */
export function silenceOf(
  pulse: Pulse,
  nowMs: number,
  outages: readonly Outage[],
  before: Anomaly | undefined,
): Report | undefined {
  const limit = silenceLimitMs(pulse);
  if (before !== undefined || limit === undefined) return undefined;
  const silentMs = nowMs - pulse.lastMs - outageWithin(outages, pulse.lastMs, nowMs);
  if (silentMs <= limit) return undefined;
  const anomaly = open(
    { atMs: pulse.lastMs, value: silentMs },
    {
      finder: 'silence',
      kind: 'silent device',
      direction: 'above',
      expected: 2 ** pulse.log2Ms,
      high: pulse.longestMs,
      basis: 'rhythm of the device',
      score: Math.min(1, silentMs / limit / 2),
    },
  );
  return { change: 'opens', anomaly };
}

/** The device speaks again. */
export const soundAgain = (before: Anomaly, atMs: number): Report => ({
  change: 'closes',
  anomaly: close(before, atMs),
});

function outageWithin(outages: readonly Outage[], fromMs: number, untilMs: number): number {
  let sum = 0;
  let covered = fromMs;
  for (const outage of outages.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const from = Math.max(covered, outage.fromMs);
    const until = Math.min(untilMs, outage.untilMs);
    if (until <= from) continue;
    sum += until - from;
    covered = until;
  }
  return sum;
}
