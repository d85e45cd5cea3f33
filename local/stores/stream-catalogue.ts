import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { StreamDescription } from './stream-model.ts';
import { snapshotFile } from './stream-snapshot-file.ts';

const Catalogue = z.object({
  version: z.literal(1),
  /** Outlives the streams, so that a name made anew gets greater sequence numbers. */
  lastCreatedAtMs: z.int(),
  streams: z.array(
    z.object({
      name: z.string(),
      arn: z.string(),
      shardCount: z.int().positive(),
      retentionHours: z.number().positive(),
      keyArn: z.string().exactOptional(),
      mode: z.enum(['PROVISIONED', 'ON_DEMAND']),
      createdAtMs: z.int(),
    }),
  ),
});

/** Which streams there are, in `<directory>/streams.json` or, without a directory, in memory. */
export function openCatalogue(directory: string | undefined) {
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const file = directory === undefined ? undefined : catalogueFile(directory);
  const stored = file?.load();
  let lastCreatedAtMs = stored?.lastCreatedAtMs ?? 0;

  return {
    stored: (): readonly StreamDescription[] => stored?.streams ?? [],

    /** A creation time that no stream had before. */
    creationTime(nowMs: number): number {
      lastCreatedAtMs = Math.max(nowMs, lastCreatedAtMs + 1);
      return lastCreatedAtMs;
    },

    async save(streams: readonly StreamDescription[]): Promise<void> {
      await file?.save({ version: 1, lastCreatedAtMs, streams: [...streams] });
    },

    /** Folder of one stream's shards; a stream made anew under an old name gets another. */
    folderOf({ name, createdAtMs }: StreamDescription): string | undefined {
      return directory === undefined ? undefined : join(directory, `${createdAtMs}-${name}`);
    },

    settled: async (): Promise<void> => await file?.settled(),
  };
}

const catalogueFile = (directory: string) =>
  snapshotFile(join(directory, 'streams.json'), Catalogue);
