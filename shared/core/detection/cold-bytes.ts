import type { MetricState } from './metric.ts';
import { type Rhythm, recall } from './rhythm.ts';
import { packRhythm, RHYTHM_BYTES, unpackRhythm } from './rhythm-bytes.ts';
import { NOTHING_PENDING, pendingDigits } from './rhythm-hour.ts';
import type { Track } from './track.ts';

/*
 * The rhythms of a device, one after the other in the order of its metrics. Their serial number is also in the hot part:
 * the two are written one after the other, and a crash may come between.
 */

const VERSION = 1;
const COLD_HEAD_BYTES = 4;
const SERIALS = 65_536;

export const nextSerial = (serial: number): number => (serial + 1) % SERIALS;

export function packCold(metrics: ReadonlyMap<string, MetricState>, serial: number): Uint8Array {
  const bytes = new Uint8Array(COLD_HEAD_BYTES + RHYTHM_BYTES * metrics.size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(2, serial, true);
  let at = COLD_HEAD_BYTES;
  for (const { rhythm } of metrics.values()) {
    packRhythm(rhythm, view, at);
    at += RHYTHM_BYTES;
  }
  return bytes;
}

/** What is stored of the rhythms, beside a hot part. */
export interface Cold {
  readonly serial: number;
  /** Brings a metric's track and rhythm together again: the hours that waited in the track are recalled. */
  join(name: string, index: number, track: Track): Pick<MetricState, 'track' | 'rhythm'>;
}

/**
 * @param serial  of the hot part. The rhythms may be one ahead of it: those were written and the hot part was not, so
 *                that they hold already what waits there, and more that will be skipped when it comes again
 * @param lost    receives what cannot be used; its rhythm begins anew
 */
export function unpackCold(bytes: Uint8Array | undefined, serial: number, lost: string[]): Cold {
  const view = bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stored =
    view !== undefined && view.byteLength >= COLD_HEAD_BYTES && view.getUint8(0) === VERSION
      ? view.getUint16(2, true)
      : undefined;
  const isAhead = stored === nextSerial(serial);
  const fits = view !== undefined && (stored === serial || isAhead);
  if (!fits && serial !== 0) lost.push('device: rhythms');
  return {
    serial: isAhead ? nextSerial(serial) : serial,
    join(name, index, track) {
      const at = COLD_HEAD_BYTES + RHYTHM_BYTES * index;
      const hasRoom = fits && at + RHYTHM_BYTES <= view.byteLength;
      const rhythm = hasRoom ? unpackRhythm(view, at) : undefined;
      if (rhythm === 'unreadable') lost.push(`${name}: rhythm`);
      if (rhythm === undefined || rhythm === 'unreadable') {
        return { track: withoutPending(track), rhythm: undefined };
      }
      return isAhead
        ? { track: withoutPending(track), rhythm }
        : { track, rhythm: recalled(rhythm, track.pending) };
    },
  };
}

const withoutPending = (track: Track): Track => ({ ...track, pending: NOTHING_PENDING });

function recalled(stored: Rhythm, pending: number): Rhythm {
  let rhythm = stored;
  pendingDigits(pending).forEach((digit, index) => {
    rhythm = recall(rhythm, stored.hour + 1 + index, digit);
  });
  return rhythm;
}
