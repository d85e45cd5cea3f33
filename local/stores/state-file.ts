import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';

/** Where a piece of the laptop keeps what it knows, and what that is called in a complaint. */
export interface StateFile<Content> {
  readonly path: string;
  /** `a device registry` */
  readonly what: string;
  readonly schema: z.ZodType<Content>;
}

/** Writes one state after the other; of those that came while one was being written, only the last. */
export interface StateWriter {
  readonly changed: () => void;
  /** Resolves when all changes so far are on disk; rejects when they could not be written. */
  readonly flush: () => Promise<void>;
}

/** A file is not what it should be; the message says which, where, and what to do. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

/**
 * @returns undefined where there is no file yet
 * @throws {StateFileError}
 */
export function readState<Content>({
  path,
  what,
  schema,
}: StateFile<Content>): Content | undefined {
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) return undefined;
  const broken = (problem: string): StateFileError =>
    new StateFileError(
      `${path} is not ${what}: ${problem}\nRestore it, or move it away to start with an empty one.`,
    );
  const result = schema.safeParse(parseJson(readFileSync(path, 'utf8'), broken));
  if (!result.success) throw broken(z.prettifyError(result.error));
  return result.data;
}

function parseJson(text: string, broken: (problem: string) => StateFileError): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken(String(error));
  }
}

/** The file is replaced whole: a crash leaves the old one or the new one. */
export function createStateWriter(path: string, content: () => object): StateWriter {
  let dirty = false;
  let writing: Promise<void> | undefined;
  const writeAll = async () => {
    // changes of the same turn are written together
    await Promise.resolve();
    try {
      while (dirty) {
        dirty = false;
        await writeWhole(path, `${JSON.stringify(content(), null, 1)}\n`);
      }
    } catch (error) {
      dirty = true;
      throw error;
    } finally {
      writing = undefined;
    }
  };
  const start = (): Promise<void> => {
    writing ??= writeAll();
    return writing;
  };
  return {
    changed: () => {
      dirty = true;
      // a failure stays dirty: `flush` tries once more and reports it
      start().catch(() => undefined);
    },
    flush: async () => {
      if (dirty || writing !== undefined) await start();
    },
  };
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
