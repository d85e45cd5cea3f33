import { tickOf } from './codes.ts';
import type { Evidence } from './evidence.ts';
import { HOUR_MS } from './rhythm.ts';
import { REST_MAX, type Track, WARM_UP_READINGS } from './track.ts';

/** At and above it a score says: something new is wrong. */
export const ALARM_SCORE = 0.5;

/** Evidence (0 to 1) at which `ALARM_SCORE` is reached; shipped as measured by `npm run bench:detection`. */
const ALARM_EVIDENCE = 0.48;
/** Spreads at which a value is half as unusual as it can be. */
const HALF_UNUSUAL = 10;
const SUSPICION_KEPT = 0.85;
const SUSPICION_SCALE = 127;
/** Time in which what was said fades, and how much of it what follows must exceed: all of it while an incident is open. */
const REST_MS = 3 * HOUR_MS;
const REST_SHARE = 0.5;
const REST_SCALE = 24;
/** What is new but not enough for an alarm, beside what is only unusual. */
const FRESH_SHARE = 0.3;

/**
 * One number of what the views say and of how far the value is from the centre. What was said lately counts for less,
 * and what breaks no range stays below `ALARM_SCORE`.
 *
 * @param isOpen  an incident of the metric is open: what it has shown already is not new
 */
export function scoreOf(
  track: Track,
  { total, deviations }: Evidence,
  atMs: number,
  sinceMs: number,
  isOpen: boolean,
): number {
  const share = isOpen ? 1 : REST_SHARE;
  const rest = track.rest === 0 ? 0 : (track.rest / REST_SCALE) * Math.exp(-sinceMs / REST_MS);
  const fresh = total === 0 ? 0 : 1 - Math.exp(-Math.max(0, total - share * rest));
  track.rest = rest === 0 && total === 0 ? 0 : restOf(Math.max(rest, total), atMs);
  const unusual = 1 - HALF_UNUSUAL / (Math.abs(deviations) + HALF_UNUSUAL); // also of an infinity
  const suspicion = Math.max(unusual, (SUSPICION_KEPT * track.suspicion) / SUSPICION_SCALE);
  track.suspicion = Math.floor(SUSPICION_SCALE * suspicion);
  if (track.readings + 1 < WARM_UP_READINGS) return 0;
  if (fresh >= ALARM_EVIDENCE) {
    return ALARM_SCORE + ((1 - ALARM_SCORE) * (fresh - ALARM_EVIDENCE)) / (1 - ALARM_EVIDENCE);
  }
  return (ALARM_SCORE * (FRESH_SHARE * fresh + suspicion)) / (FRESH_SHARE + 1);
}

const restOf = (rest: number, atMs: number): number =>
  Math.min(REST_MAX, Math.floor(REST_SCALE * rest + chanceOf(atMs)));

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Where between two codes the rest is rounded up, spread evenly over times: or frequent readings would not let it fade. */
function chanceOf(atMs: number): number {
  const turns = tickOf(atMs) * GOLDEN;
  return turns - Math.floor(turns);
}
