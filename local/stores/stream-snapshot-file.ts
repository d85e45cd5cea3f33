import { existsSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as z from 'zod';

/** A JSON file that is replaced whole: after a crash it holds the old value or the new one. */
export function snapshotFile<Value>(path: string, schema: z.ZodType<Value>) {
  let writing: Promise<void> = Promise.resolve();
  let next: { value: Value; written: Promise<void> } | undefined;

  const writeNext = async (): Promise<void> => {
    const value = next?.value;
    next = undefined;
    await replace(path, JSON.stringify(value, undefined, 2));
  };

  return {
    /** @throws {Error} naming the file, when it is there but does not fit the schema. */
    load(): Value | undefined {
      if (!existsSync(path)) return undefined;
      try {
        return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
      } catch (cause) {
        throw new Error(`${path} is not what this version writes; move it away to begin anew`, {
          cause,
        });
      }
    },

    /** Resolves when this value, or one saved after it, is on disk. Values in between may be skipped. */
    save(value: Value): Promise<void> {
      if (next === undefined) {
        writing = writing.catch(() => undefined).then(writeNext);
        next = { value, written: writing };
      }
      next.value = value;
      return next.written;
    },

    /** Waits for writes under way. */
    settled: (): Promise<void> => writing.catch(() => undefined),
  };
}

async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await withFile(draft, 'w', async (file) => {
    await file.writeFile(text);
    await file.sync();
  });
  await rename(draft, path);
  await withFile(dirname(path), 'r', (folder) => folder.sync());
}

async function withFile(
  path: string,
  flags: string,
  use: (file: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
