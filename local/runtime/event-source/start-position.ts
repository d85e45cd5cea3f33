import type { Log } from '../../core/log.ts';
import type { Position } from '../../stores/stream-model.ts';
import type { StreamStore } from '../../stores/stream-store.ts';

export interface StartOptions {
  readonly spec: {
    /** What checkpoints are kept under. */
    readonly id: string;
    readonly streamName: string;
    readonly startingPosition: Position;
  };
  readonly shardId: string;
  readonly streams: Pick<StreamStore, 'resolve' | 'checkpoint' | 'saveCheckpoint'>;
  readonly log: Log;
}

/** Prefix of a stored position that stands before the first record, for a start at `LATEST`. */
const START = 'start:';

/**
 * Where to begin: behind what was done with before, else where the reader says. The end of the
 * stream is fixed when it is first asked for, so that a restart skips nothing that came since.
 */
export function startPosition({ spec, shardId, streams, log }: StartOptions): Position {
  const { id, streamName, startingPosition } = spec;
  const stored = streams.checkpoint(id, shardId);
  const from = stored === undefined ? undefined : positionOf(stored);
  if (from !== undefined) {
    try {
      streams.resolve(streamName, shardId, from);
      return from;
    } catch (error) {
      const message = `the checkpoint of ${id} is of no use, it begins anew: ${String(error)}`;
      log({ level: 'warn', source: 'event-source', message, shardId });
    }
  }
  if (startingPosition !== 'LATEST') return startingPosition;
  const at = streams.resolve(streamName, shardId, 'LATEST');
  void streams.saveCheckpoint(id, shardId, START + at);
  return { at };
}

const positionOf = (stored: string): Position =>
  stored.startsWith(START) ? { at: stored.slice(START.length) } : { after: stored };
