import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { readVectors, type Vector } from './codec-vectors.ts';
import { FailedError } from './command.ts';

/** A codec as files hold it. */
export interface CodecFiles {
  /** What it is called where nobody says otherwise. */
  readonly name: string;
  readonly source: string;
  readonly vectors: readonly Vector[];
  /** Where the vectors came from, for people. */
  readonly vectorFiles: readonly string[];
}

const SOURCES = ['codec.js', 'codec.json', 'fields.json', 'index.js', 'main.js'];
const VECTORS = ['vectors.json', 'examples.json'];

/**
 * Reads a codec from a folder or a file: a script or a description of fields, and beside it vectors of ours or of
 * TS013 (`vectors.json`, `examples.json`), of ChirpStack (`test_decode_<name>.json`) or of The Things Stack (a
 * definition `*-codec.yaml`, which names the script).
 *
 * @throws {FailedError} naming what is not there or cannot be read
 */
export function readCodec(path: string, vectorsPath?: string): CodecFiles {
  if (!existsSync(path)) throw new FailedError(`There is no ${path}.`);
  const definition = /\.ya?ml$/.test(path) ? path : undefined;
  const sourceFile = definition === undefined ? sourceIn(path) : scriptOf(definition);
  const files = vectorsPath === undefined ? vectorFilesOf(sourceFile, definition) : [vectorsPath];
  return {
    name: nameOf(definition ?? sourceFile),
    source: readFileSync(sourceFile, 'utf8'),
    vectors: files.flatMap((file) => vectorsIn(file)),
    vectorFiles: files,
  };
}

function sourceIn(path: string): string {
  if (!statSync(path).isDirectory()) return path;
  const found = SOURCES.map((name) => join(path, name)).find(isSource);
  if (found !== undefined) return found;
  const scripts = readdirSync(path).filter((name) => name.endsWith('.js'));
  const [only] = scripts;
  if (only !== undefined && scripts.length === 1) return join(path, only);
  throw new FailedError(
    `${path} holds no ${SOURCES.join(', ')}, nor just one script; name the file.`,
  );
}

/** Our `codec.json` tells of a device; it is a source only where it describes fields. */
const isSource = (file: string): boolean =>
  existsSync(file) &&
  (!file.endsWith('codec.json') || readFileSync(file, 'utf8').includes('"messages"'));

function scriptOf(definition: string): string {
  const { uplinkDecoder } = z
    .object({ uplinkDecoder: z.object({ fileName: z.string() }) })
    .parse(parseYaml(readFileSync(definition, 'utf8')));
  return join(dirname(definition), uplinkDecoder.fileName);
}

function vectorFilesOf(sourceFile: string, definition: string | undefined): string[] {
  if (definition !== undefined) return [definition];
  const folder = dirname(sourceFile);
  const stem = basename(sourceFile).replace(/\.\w+$/, '');
  return [
    ...VECTORS,
    `test_decode_${stem}.json`,
    `test_encode_${stem}.json`,
    `${stem}-codec.yaml`,
    `${stem}.vectors.json`,
  ]
    .map((name) => join(folder, name))
    .filter((file) => existsSync(file));
}

function vectorsIn(file: string): Vector[] {
  const text = readFileSync(file, 'utf8');
  try {
    // YAML holds JSON, and the hexadecimal numbers that some vendors write into theirs; their comments it does not
    return readVectors(basename(file), parseYaml(text.replace(/^(.*[\s,])?\/\/.*$/gm, '$1')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new FailedError(`${file} holds no vectors: ${reason}`);
  }
}

/** `codecs/elsys-ers/codec.js` is elsys-ers; any other file goes by its own name. */
function nameOf(file: string): string {
  const stem = basename(file).replace(/(-codec)?\.\w+$/, '');
  const name = SOURCES.includes(basename(file)) ? basename(dirname(file)) : stem;
  return name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+/, '');
}
