import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { RegistryFile } from '../core/registry/index.ts';

/** The registry's file is not one; the message says which, where, and what to do. */
export class RegistryFileError extends Error {
  override readonly name = 'RegistryFileError';
}

/**
 * @returns undefined where there is no file yet
 * @throws {RegistryFileError}
 */
export function readRegistry(directory: string): RegistryFile | undefined {
  mkdirSync(directory, { recursive: true });
  const path = pathIn(directory);
  if (!existsSync(path)) return undefined;
  const result = RegistryFile.safeParse(parseJson(readFileSync(path, 'utf8'), path));
  if (!result.success) throw broken(path, z.prettifyError(result.error));
  return result.data;
}

const pathIn = (directory: string): string => join(directory, 'registry.json');

const broken = (path: string, problem: string): RegistryFileError =>
  new RegistryFileError(
    `${path} is not a device registry: ${problem}\nRestore it, or move it away to start with an empty registry.`,
  );

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken(path, String(error));
  }
}

/** Writes one state after the other; of those that came while one was being written, only the last. */
export interface RegistryWriter {
  readonly changed: () => void;
  /** Resolves when all changes so far are on disk; rejects when they could not be written. */
  readonly flush: () => Promise<void>;
}

/** The file is replaced whole: a crash leaves the old one or the new one. */
export function createRegistryWriter(
  directory: string,
  content: () => RegistryFile,
): RegistryWriter {
  let dirty = false;
  let writing: Promise<void> | undefined;
  const writeAll = async () => {
    // changes of the same turn are written together
    await Promise.resolve();
    try {
      while (dirty) {
        dirty = false;
        await writeWhole(pathIn(directory), `${JSON.stringify(content(), null, 1)}\n`);
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
