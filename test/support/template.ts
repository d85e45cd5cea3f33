import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
}

export interface PackagedService {
  /** Where the packager left its output: templates and one zip a function. */
  readonly directory: string;
  readonly template: Template;
}

interface Options {
  readonly stage?: string;
  /** Overrides of the stage's parameters. */
  readonly params?: Readonly<Record<string, string>>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache/tributary-packages');
const INPUTS = [
  'serverless.yml',
  'package.json',
  'tsconfig.json',
  'functions',
  'plugins',
  'resources',
  'shared',
];
/** What checks the template while it is packaged, and leaves nothing in it. */
const CHECKS = 'local';
const DAY_MS = 86_400_000;

/**
 * The service as `sls package` leaves it: what a deployment would send. Packaged in a copy of the sources, with no
 * credentials and no home, and kept until a source changes.
 */
export function packageService({ stage = 'dev', params = {} }: Options = {}): PackagedService {
  const flags = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
  const directory = join(CACHE, hashOf([stage, ...flags]));
  if (!existsSync(directory)) {
    dropOld();
    runPackager(directory, ['package', '--stage', stage, ...flags]);
  }
  const text = readFileSync(join(directory, 'cloudformation-template-update-stack.json'), 'utf8');
  return { directory, template: JSON.parse(text) as Template };
}

/** Resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

function runPackager(target: string, args: readonly string[]): void {
  const copy = copyOfSources();
  try {
    const { status, stdout, stderr } = sls(copy, args);
    if (status !== 0) throw new Error(`sls ${args.join(' ')} failed:\n${stdout}${stderr}`);
    keep(join(copy, '.serverless'), target);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A folder with all that the packager reads, so that its work folders are nobody else's; to be removed by the caller. */
export function copyOfSources(): string {
  const copy = mkdtempSync(join(tmpdir(), 'tributary-package-'));
  for (const input of [...INPUTS, CHECKS])
    cpSync(join(ROOT, input), join(copy, input), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Runs the packager in a folder, with no more of an environment than is given: no credentials, no home. */
export function sls(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const script = join(ROOT, 'node_modules/serverless/bin/serverless.js');
  return spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: tmpdir(), ...environment },
    encoding: 'utf8',
  });
}

/** By rename, so that of two test files that package at once neither reads half a package. */
function keep(output: string, target: string): void {
  mkdirSync(CACHE, { recursive: true });
  const beside = mkdtempSync(join(CACHE, 'new-'));
  cpSync(output, beside, { recursive: true });
  try {
    renameSync(beside, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    rmSync(beside, { recursive: true, force: true });
  }
}

function dropOld(): void {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    if (Date.now() - statSync(path).mtimeMs > DAY_MS)
      rmSync(path, { recursive: true, force: true });
  }
}

function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  for (const file of ['package-lock.json', ...INPUTS].flatMap(filesOf)) {
    hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

function filesOf(input: string): string[] {
  if (!statSync(join(ROOT, input)).isDirectory()) return [input];
  return readdirSync(join(ROOT, input), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}
