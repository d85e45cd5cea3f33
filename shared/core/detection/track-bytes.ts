import { BAND_STRIDE, type MetricKind, type Track, VIEWS } from './track.ts';

/** Eight metrics and their device's own part fit one write unit of DynamoDB. */
export const TRACK_BYTES = 96;

const BANDS_AT = 54;
const BAND_BYTES = 6;
const KINDS: readonly MetricKind[] = ['gauge', 'counter', 'boolean'];
const KIND_BITS = 2;
const UNDECIDED = 1;
const TAINTED = 2;
const REST_BIT = 2;

/** Writes a track, little-endian, from `at`; the numbers are already rounded to their bytes. */
export function packTrack(track: Track, view: DataView, at: number): void {
  const flags = (track.undecided ? UNDECIDED : 0) | (track.tainted ? TAINTED : 0);
  view.setUint8(at, KINDS.indexOf(track.kind) | (track.blockFill << KIND_BITS));
  view.setInt8(at + 1, track.exponent);
  view.setUint16(at + 2, flags | (track.rest << REST_BIT), true);
  view.setUint32(at + 4, track.tick, true);
  view.setFloat64(at + 8, track.anchor, true);
  view.setFloat32(at + 16, track.last, true);
  view.setFloat32(at + 20, track.fast, true);
  view.setFloat32(at + 24, track.centre, true);
  view.setFloat32(at + 28, track.variance, true);
  view.setFloat32(at + 32, track.hourSum, true);
  view.setUint16(at + 36, track.hourCount, true);
  view.setUint16(at + 38, track.readings, true);
  view.setFloat16(at + 40, track.dayDrift, true);
  view.setFloat16(at + 42, track.low, true);
  view.setFloat16(at + 44, track.previousLow, true);
  view.setFloat16(at + 46, track.noise, true);
  view.setUint16(at + 48, track.equalRun, true);
  view.setUint8(at + 50, track.longestRun);
  view.setUint8(at + 51, track.interval);
  view.setInt8(at + 52, track.sideRun);
  view.setUint8(at + 53, track.suspicion);
  for (let band = 0; band < VIEWS.length; band += 1) {
    const to = at + BANDS_AT + band * BAND_BYTES;
    const from = band * BAND_STRIDE;
    view.setFloat16(to, track.bands[from] ?? Number.NaN, true);
    view.setFloat16(to + 2, track.bands[from + 1] ?? Number.NaN, true);
    view.setUint8(to + 4, track.bands[from + 2] ?? 0);
    view.setUint8(to + 5, track.bands[from + 3] ?? 0);
  }
}

/**
 * @returns nothing when the bytes cannot be a track's: an unknown kind, or a number that is none; its metric begins
 *          anew
 */
export function unpackTrack(view: DataView, at: number): Track | undefined {
  const head = view.getUint8(at);
  const flags = view.getUint16(at + 2, true);
  const kind = KINDS[head & ((1 << KIND_BITS) - 1)];
  if (kind === undefined) return undefined;
  const track: Track = {
    kind,
    undecided: (flags & UNDECIDED) !== 0,
    tainted: (flags & TAINTED) !== 0,
    exponent: view.getInt8(at + 1),
    blockFill: head >> KIND_BITS,
    rest: flags >> REST_BIT,
    tick: view.getUint32(at + 4, true),
    anchor: view.getFloat64(at + 8, true),
    last: view.getFloat32(at + 16, true),
    fast: view.getFloat32(at + 20, true),
    centre: view.getFloat32(at + 24, true),
    variance: view.getFloat32(at + 28, true),
    hourSum: view.getFloat32(at + 32, true),
    hourCount: view.getUint16(at + 36, true),
    readings: view.getUint16(at + 38, true),
    dayDrift: view.getFloat16(at + 40, true),
    low: view.getFloat16(at + 42, true),
    previousLow: view.getFloat16(at + 44, true),
    noise: view.getFloat16(at + 46, true),
    equalRun: view.getUint16(at + 48, true),
    longestRun: view.getUint8(at + 50),
    interval: view.getUint8(at + 51),
    sideRun: view.getInt8(at + 52),
    suspicion: view.getUint8(at + 53),
    bands: [],
  };
  for (let band = 0; band < VIEWS.length; band += 1) {
    const from = at + BANDS_AT + band * BAND_BYTES;
    track.bands.push(
      view.getFloat16(from, true),
      view.getFloat16(from + 2, true),
      view.getUint8(from + 4),
      view.getUint8(from + 5),
    );
  }
  return isSound(track) ? track : undefined;
}

function isSound(track: Track): boolean {
  const { anchor, last, fast, centre, variance, hourSum, dayDrift, low, previousLow, noise } =
    track;
  const numbers = [
    anchor,
    last,
    fast,
    centre,
    variance,
    hourSum,
    dayDrift,
    low,
    previousLow,
    noise,
  ];
  if (!numbers.every(Number.isFinite) || variance < 0 || noise < 0) return false;
  for (let at = 0; at < track.bands.length; at += BAND_STRIDE) {
    const low = track.bands[at] ?? Number.NaN;
    const high = track.bands[at + 1] ?? Number.NaN;
    const empty = Number.isNaN(low) && Number.isNaN(high);
    if (!empty && !(Number.isFinite(low) && low <= high && Number.isFinite(high))) return false;
  }
  return true;
}
