import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { unzipSync } from 'fflate';

/**
 * Unpacks a function's deployment package into `directory`, which is emptied first.
 *
 * A package without a `package.json` gets an empty one: Node would otherwise look for one further up,
 * and find the laptop's, which may call every `.js` file an ES module. In Lambda there is none above.
 *
 * @param zip  path of the archive, as `sls package` leaves it in `.serverless`
 * @returns    the files of the package, as paths within it
 * @throws {Error} naming the archive: unreadable, not a zip, or with an entry that leads out of the directory
 */
export async function extractPackage(zip: string, directory: string): Promise<string[]> {
  const files = Object.entries(unzip(zip, await readFile(zip)));
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const [name, content] of files) await writeWithin(directory, name, content);
  const names = files.map(([name]) => name);
  if (!names.includes('package.json')) await writeFile(join(directory, 'package.json'), '{}\n');
  return names;
}

function unzip(zip: string, archive: Uint8Array): Record<string, Uint8Array> {
  const entries = readEntries(zip, archive);
  const files = Object.entries(entries).filter(([name]) => !name.endsWith('/'));
  for (const [name] of files) {
    const path = posix.normalize(name.replaceAll('\\', '/'));
    if (path.startsWith('/') || path.startsWith('..') || /^[A-Za-z]:/.test(path)) {
      throw new Error(`${zip}: the entry ${JSON.stringify(name)} leads out of the package`);
    }
  }
  return Object.fromEntries(files);
}

function readEntries(zip: string, archive: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(archive);
  } catch (error) {
    throw new Error(`${zip}: is not a zip archive that can be read`, { cause: error });
  }
}

async function writeWithin(directory: string, name: string, content: Uint8Array): Promise<void> {
  const path = join(directory, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
