import { getF24, setF24 } from './byte-numbers.ts';
import { isPending } from './rhythm-hour.ts';
import { BAND_STRIDE, type MetricKind, type Track, VIEWS } from './track.ts';

/** Eight metrics and their device's own part fit one write unit of DynamoDB. */
export const TRACK_BYTES = 96;

const BANDS_AT = 54;
const BAND_BYTES = 6;
const KINDS: readonly MetricKind[] = ['gauge', 'counter', 'boolean'];
const UNDECIDED_GAUGE = 3;
const KIND_BITS = 2;
const TAINTED = 0x80;
const PENDING_HIGH = 2 ** 32;

/** Writes a track, little-endian, from `at`; the numbers are already rounded to their bytes. */
export function packTrack(track: Track, view: DataView, at: number): void {
  const kind = track.undecided ? UNDECIDED_GAUGE : KINDS.indexOf(track.kind);
  view.setUint8(at, kind | (track.blockFill << KIND_BITS));
  view.setInt8(at + 1, track.exponent);
  view.setUint8(at + 2, track.rest);
  view.setUint8(at + 3, track.suspicion | (track.tainted ? TAINTED : 0));
  view.setUint32(at + 4, track.tick, true);
  view.setFloat64(at + 8, track.anchor, true);
  view.setFloat32(at + 16, track.last, true);
  setF24(view, at + 20, track.centre);
  setF24(view, at + 23, track.variance);
  setF24(view, at + 26, track.hourSum);
  view.setFloat16(at + 29, track.fastGap, true);
  view.setUint16(at + 31, track.hourCount, true);
  view.setUint16(at + 33, track.readings, true);
  view.setFloat16(at + 35, track.dayDrift, true);
  view.setFloat16(at + 37, track.low, true);
  view.setFloat16(at + 39, track.previousLow, true);
  view.setFloat16(at + 41, track.noise, true);
  view.setUint16(at + 43, track.equalRun, true);
  view.setUint8(at + 45, track.longestRun);
  view.setUint8(at + 46, track.interval);
  view.setInt8(at + 47, track.sideRun);
  view.setUint32(at + 48, track.pending % PENDING_HIGH, true);
  view.setUint16(at + 52, Math.floor(track.pending / PENDING_HIGH), true);
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
 * @returns nothing when the bytes cannot be a track's: a number that is none, or one out of its range; its metric
 *          begins anew
 */
export function unpackTrack(view: DataView, at: number): Track | undefined {
  const head = view.getUint8(at);
  const kind = head & UNDECIDED_GAUGE;
  const doubt = view.getUint8(at + 3);
  const track: Track = {
    kind: KINDS[kind] ?? 'gauge',
    undecided: kind === UNDECIDED_GAUGE,
    tainted: (doubt & TAINTED) !== 0,
    exponent: view.getInt8(at + 1),
    blockFill: head >> KIND_BITS,
    rest: view.getUint8(at + 2),
    suspicion: doubt & ~TAINTED,
    tick: view.getUint32(at + 4, true),
    anchor: view.getFloat64(at + 8, true),
    last: view.getFloat32(at + 16, true),
    centre: getF24(view, at + 20),
    variance: getF24(view, at + 23),
    hourSum: getF24(view, at + 26),
    fastGap: view.getFloat16(at + 29, true),
    hourCount: view.getUint16(at + 31, true),
    readings: view.getUint16(at + 33, true),
    dayDrift: view.getFloat16(at + 35, true),
    low: view.getFloat16(at + 37, true),
    previousLow: view.getFloat16(at + 39, true),
    noise: view.getFloat16(at + 41, true),
    equalRun: view.getUint16(at + 43, true),
    longestRun: view.getUint8(at + 45),
    interval: view.getUint8(at + 46),
    sideRun: view.getInt8(at + 47),
    pending: view.getUint32(at + 48, true) + view.getUint16(at + 52, true) * PENDING_HIGH,
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
  const { anchor, last, centre, variance, hourSum, fastGap, dayDrift, low, previousLow, noise } =
    track;
  const numbers = [
    anchor,
    last,
    centre,
    variance,
    hourSum,
    fastGap,
    dayDrift,
    low,
    previousLow,
    noise,
  ];
  if (!numbers.every(Number.isFinite) || variance < 0 || noise < 0) return false;
  if (!isPending(track.pending)) return false;
  for (let at = 0; at < track.bands.length; at += BAND_STRIDE) {
    const low = track.bands[at] ?? Number.NaN;
    const high = track.bands[at + 1] ?? Number.NaN;
    const empty = Number.isNaN(low) && Number.isNaN(high);
    if (!empty && !(Number.isFinite(low) && low <= high && Number.isFinite(high))) return false;
  }
  return true;
}
