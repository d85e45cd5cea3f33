import {
  type Change,
  type HeldSessions,
  NO_SESSIONS,
} from '../../shared/adapters/lorawan/session-table.ts';
import { RejectedError } from '../../shared/core/errors.ts';
import type { Sessions } from '../../shared/core/lorawan/sessions.ts';
import { isAfter } from '../../shared/core/sequence-number.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';

/** Where a device's sessions stood after a record, and whether that record left something to be put. */
interface Entry {
  readonly record: StreamRecord;
  readonly sessions: Sessions;
  readonly isPut: boolean;
}

/** A device's sessions on the way through a batch. */
class Track {
  readonly held: HeldSessions;
  readonly entries: Entry[] = [];
  sessions: Sessions;

  constructor(held: HeldSessions) {
    this.held = held;
    this.sessions = held.sessions;
  }
}

/** What a step makes of a record, and of the sessions of its device. */
interface Step<Out> {
  readonly out: readonly Out[];
  readonly taken: Sessions;
}

/**
 * Follows the sessions of each device through a batch, record by record, and tells in the end how far they may be
 * kept: up to the first record that is not safely put.
 */
export class Journal {
  readonly #tracks = new Map<string, Track>();
  readonly #devices = new Map<StreamRecord, string>();
  readonly #known: ReadonlyMap<string, HeldSessions>;

  constructor(known: ReadonlyMap<string, HeldSessions>) {
    this.#known = known;
  }

  sessionsOf(device: string): Sessions {
    return this.#track(device).sessions;
  }

  /** Whether a record was entered in an earlier invocation: streams hand out again what was done with already. */
  wasEntered(device: string, { sequenceNumber }: StreamRecord): boolean {
    const { upTo } = this.#track(device).held;
    return upTo !== undefined && !isAfter(sequenceNumber, upTo);
  }

  /** Whose a record that was entered is. */
  deviceOf(record: StreamRecord): string | undefined {
    return this.#devices.get(record);
  }

  /**
   * Runs the step of one record. If the record is rejected, the frame arrived but was not taken: it can come again.
   *
   * @param heard  the device's sessions in that case
   */
  enter<Out>(
    device: string,
    record: StreamRecord,
    heard: Sessions,
    step: () => Step<Out>,
  ): readonly Out[] {
    const track = this.#track(device);
    this.#devices.set(record, device);
    try {
      const { out, taken } = step();
      track.sessions = taken;
      track.entries.push({ record, sessions: taken, isPut: out.length > 0 });
      return out;
    } catch (error) {
      if (error instanceof RejectedError) {
        track.sessions = heard;
        track.entries.push({ record, sessions: heard, isPut: false });
      }
      throw error;
    }
  }

  /** @param put  records whose readings are safe */
  changes(put: ReadonlySet<StreamRecord>): Change[] {
    return [...this.#tracks].flatMap(([device, { held, entries }]) => {
      const stop = entries.findIndex(({ record, isPut }) => isPut && !put.has(record));
      const last = (stop < 0 ? entries : entries.slice(0, stop)).at(-1);
      if (last === undefined || last.sessions === held.sessions) return [];
      const { sessions, record } = last;
      return [{ device, sessions, revision: held.revision, upTo: record.sequenceNumber }];
    });
  }

  #track(device: string): Track {
    const known = this.#tracks.get(device);
    if (known !== undefined) return known;
    const track = new Track(this.#known.get(device) ?? NO_SESSIONS);
    this.#tracks.set(device, track);
    return track;
  }
}
