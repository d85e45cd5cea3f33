import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Rule {
  readonly files: RegExp;
  /** Prefixes of what may be imported; `$1` is the first group of `files`. */
  readonly may: readonly string[];
  readonly as: string;
}

/** Who may import whom: the first rule that fits a file holds. */
const RULES: readonly Rule[] = [
  {
    files: /^shared\/core\/access\//,
    may: ['shared/core/', 'zod', 'node:crypto', 'jose'],
    as: 'tested with values alone; signatures are verified by a library',
  },
  {
    files: /^shared\/core\//,
    may: ['shared/core/', 'zod', 'node:crypto', 'cborg'],
    as: 'tested with values alone',
  },
  {
    files: /^shared\/adapters\//,
    may: [
      'shared/adapters/',
      'shared/core/',
      '@aws-sdk/',
      'zod',
      'jose',
      'node:http',
      'node:https',
      'node:crypto',
      'node:zlib',
    ],
    as: 'the one place calls leave from',
  },
  {
    files: /^shared\/lambda\//,
    may: ['shared/lambda/', 'shared/core/', '@middy/core', 'aws-lambda', 'zod'],
    as: 'the coat, not the body',
  },
  {
    files: /^shared\/codec-runtime\/engine-file\.ts$/,
    may: ['node:fs', 'node:path'],
    as: 'the one place that knows where the engine lies',
  },
  {
    files: /^shared\/codec-runtime\//,
    may: ['shared/codec-runtime/', 'zod'],
    as: 'a box for foreign code: no clock, no disk, no SDK to get hold of',
  },
  {
    files: /^(functions\/[^/]+\/)(?:[a-z]+-)?handler\.ts$/,
    may: ['$1', 'shared/', '@aws-sdk/', '@middy/core', 'aws-lambda', 'zod'],
    as: 'wiring: real clients, nothing decided',
  },
  {
    files: /^(functions\/[^/]+\/)/,
    may: ['$1', 'shared/', 'aws-lambda', 'zod'],
    as: 'deployed alone, run in tests with plain objects',
  },
  {
    files: /^local\/core\/sql\//,
    may: ['local/core/sql/', 'node:crypto', '@bufbuild/protobuf', 'decimal.js', 're2js'],
    as: 'a package of its own, importable without the rest',
  },
  {
    files: /^local\/core\//,
    may: ['local/core/', 'node:crypto', 'zod', 'mqtt-packet'],
    as: 'engines without sockets, clock or disk',
  },
  {
    files: /^commands\//,
    may: ['commands/', 'shared/', 'local/', 'node:', '@aws-sdk/', 'zod', 'yaml'],
    as: 'what a person types meets both sides: the service and the laptop',
  },
  {
    files: /^local\//,
    may: [
      'local/',
      'node:',
      '@aws-sdk/',
      '@peculiar/x509',
      'dynalite',
      'fflate',
      'mqtt',
      'reflect-metadata',
      'ws',
      'zod',
    ],
    as: 'an emulator that shared our code would share our mistakes',
  },
];

const files = ['commands', 'functions', 'shared', 'local'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => posix.join(folder, name)),
);

const IMPORT =
  /^(?:import|export)\b[^;'"]*\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((groups) => {
    const name = groups.slice(1).find((group) => group !== undefined) ?? '';
    return name.startsWith('.') ? posix.join(posix.dirname(file), name) : name;
  });

describe('imports', () => {
  it.each(files)('of %s stay within its room', (file) => {
    const rule = RULES.find(({ files: pattern }) => pattern.test(file));
    const own = rule?.files.exec(file)?.[1] ?? '';
    const may = (rule?.may ?? []).map((prefix) => prefix.replace('$1', own));
    const strays = importsOf(file).filter((to) => !may.some((prefix) => to.startsWith(prefix)));
    expect({ strays, because: rule?.as }).toEqual({ strays: [], because: rule?.as });
  });
});
