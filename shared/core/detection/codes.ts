/* Times and counts as the bytes of a track hold them. */

const TICK_MS = 64;

export const tickOf = (ms: number): number => Math.floor(ms / TICK_MS) >>> 0;

/** Milliseconds from a track's last reading to `ms`, right within four years; negative for a late reading. */
export const sinceLast = ({ tick }: { readonly tick: number }, ms: number): number =>
  ((tickOf(ms) - tick) | 0) * TICK_MS;

const INTERVAL_UNIT_MS = 16;
const CODES = 256;

/** One byte for a time of 16 ms to two thousand years, in eighths of an octave. */
const intervalCode = (ms: number): number =>
  Math.max(
    1,
    Math.min(
      CODES - 1,
      Math.round(8 * Math.log2(Math.max(ms, INTERVAL_UNIT_MS) / INTERVAL_UNIT_MS)) + 1,
    ),
  );

const intervalAt = (code: number): number => INTERVAL_UNIT_MS * 2 ** ((code - 1) / 8);

const INTERVALS = Float64Array.from({ length: CODES }, (_, code) =>
  code === 0 ? Number.NaN : intervalAt(code),
);
/** Where the next code begins. */
const INTERVAL_ENDS = Float64Array.from({ length: CODES }, (_, code) => intervalAt(code + 0.5));

export const intervalMs = (code: number): number => INTERVALS[code] ?? Number.NaN;

/** The usual interval a step nearer to one that was just seen. */
export function towardsInterval(code: number, ms: number): number {
  if (!(ms > 0)) return code;
  if (code === 0) return intervalCode(ms);
  if (code < CODES - 1 && ms >= (INTERVAL_ENDS[code] ?? Number.NaN)) return code + 1;
  return code > 1 && ms < (INTERVAL_ENDS[code - 1] ?? Number.NaN) ? code - 1 : code;
}

/** One byte for a count of 1 to 61,000, in sixteenths of an octave; rounds up. */
export const runCode = (count: number): number =>
  count < 1 ? 0 : Math.min(CODES - 1, 1 + Math.ceil(16 * Math.log2(count)));

const RUNS = Float64Array.from({ length: CODES }, (_, code) => 2 ** ((code - 1) / 16));

export const runOf = (code: number): number => RUNS[code] ?? Number.NaN;
