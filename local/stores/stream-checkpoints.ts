import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Log } from '../core/log.ts';
import { snapshotFile } from './stream-snapshot-file.ts';

const Checkpoints = z.record(z.string(), z.string());

/**
 * How far event source mappings have come, in `<directory>/checkpoints.json` or in memory. A save
 * that fails is logged and not thrown: what it would have spared is only a repetition.
 */
export function openCheckpoints(directory: string | undefined, log: Log) {
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const file = directory === undefined ? undefined : checkpointFile(directory);
  const checkpoints = new Map(Object.entries(file?.load() ?? {}));
  const keyOf = (mappingId: string, shardId: string): string => `${mappingId}/${shardId}`;

  return {
    /** Sequence number of the last record that is done with. */
    checkpoint: (mappingId: string, shardId: string): string | undefined =>
      checkpoints.get(keyOf(mappingId, shardId)),

    async saveCheckpoint(
      mappingId: string,
      shardId: string,
      sequenceNumber: string,
    ): Promise<void> {
      checkpoints.set(keyOf(mappingId, shardId), sequenceNumber);
      try {
        await file?.save(Object.fromEntries(checkpoints));
      } catch (reason) {
        const message = `Could not save a checkpoint of ${mappingId}: a restart repeats records`;
        log({ level: 'error', source: 'kinesis', message, shardId, reason });
      }
    },

    settled: async (): Promise<void> => await file?.settled(),
  };
}

const checkpointFile = (directory: string) =>
  snapshotFile(join(directory, 'checkpoints.json'), Checkpoints);
