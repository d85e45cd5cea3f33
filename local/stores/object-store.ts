import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AwsError } from '../operations/operation.ts';

/** S3 objects as files: a folder a bucket, a file an object. Errors are `AwsError` with S3's codes. */
export interface ObjectStore {
  /** Writes the whole object, in one step. */
  readonly put: (bucket: string, key: string, content: Uint8Array) => Promise<void>;
  /** Adds to the end of the object; S3 itself cannot do this, but a delivery that fills it bit by bit can wait for it. */
  readonly append: (bucket: string, key: string, content: Uint8Array) => Promise<void>;
  /** @throws {AwsError} `NoSuchBucket`, `NoSuchKey` */
  readonly get: (bucket: string, key: string) => Promise<Uint8Array>;
}

const MAX_KEY_BYTES = 1024;
const MAX_NAME_BYTES = 255;
/** No bucket's name begins with a dot. */
const UNFINISHED = '.unfinished';

/**
 * @param directory  of all buckets
 * @param buckets    names of those there are
 */
export function createObjectStore({
  directory,
  buckets,
}: {
  readonly directory: string;
  readonly buckets: readonly string[];
}): ObjectStore {
  const known = new Set(buckets);

  const fileOf = (bucket: string, key: string): string => {
    if (known.has(bucket)) return join(directory, bucket, ...fileNames(key));
    throw new AwsError('NoSuchBucket', `The specified bucket does not exist: ${bucket}.`, 404);
  };

  const fileToWrite = async (bucket: string, key: string): Promise<string> => {
    const path = fileOf(bucket, key);
    await mkdir(dirname(path), { recursive: true });
    return path;
  };

  return {
    async put(bucket, key, content) {
      await withNames(key, async () => {
        const path = await fileToWrite(bucket, key);
        const unfinished = join(directory, UNFINISHED, randomUUID());
        await mkdir(dirname(unfinished), { recursive: true });
        try {
          await writeFile(unfinished, content);
          await rename(unfinished, path);
        } finally {
          await rm(unfinished, { force: true });
        }
      });
    },

    async append(bucket, key, content) {
      await withNames(key, async () => appendFile(await fileToWrite(bucket, key), content));
    },

    async get(bucket, key) {
      const path = fileOf(bucket, key);
      try {
        return await readFile(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new AwsError('NoSuchKey', `The specified key does not exist: ${key}.`, 404);
      }
    },
  };
}

/**
 * Names of folders and file for an object's key: one for each part between slashes, with everything encoded that
 * a file system could read as a way out, or as no name at all.
 *
 * @throws {AwsError} `KeyTooLongError`, or `InvalidArgument` for text that is not well formed
 */
export function fileNames(key: string): string[] {
  if (!key.isWellFormed()) throw new AwsError('InvalidArgument', 'An object key is UTF-8 text.');
  const names = key.split('/').map(fileName);
  const tooLong =
    Buffer.byteLength(key) > MAX_KEY_BYTES ||
    names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (!tooLong && key !== '') return names;
  throw new AwsError(
    'KeyTooLongError',
    `An object key has 1 to ${MAX_KEY_BYTES} bytes, and here, as files, at most ${MAX_NAME_BYTES} between slashes.`,
  );
}

/** `%` alone is what percent-encoding never gives: the empty name. */
function fileName(part: string): string {
  if (part === '') return '%';
  const encoded = encodeURIComponent(part).replaceAll('*', '%2A');
  return /^\.+$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded;
}

/** A file system cannot have a file and a folder of one name, as S3 can have `a` and `a/b`. */
async function withNames(key: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isNameTaken(error)) throw error;
    throw new AwsError(
      'InvalidArgument',
      `${key}: the local bucket has a file where this key needs a folder, or a folder in its place.`,
    );
  }
}

const isNameTaken = (error: unknown): boolean =>
  ['EISDIR', 'ENOTDIR', 'EEXIST'].includes(codeOf(error));

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'EISDIR', 'ENOTDIR'].includes(codeOf(error));

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
