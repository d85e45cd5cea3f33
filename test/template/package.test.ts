import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { extractPackage } from '../../local/runtime/lambda-package.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';

const { directory } = packageService({ stage: 'prod', params: EVERYTHING });
const workplace = mkdtempSync(join(tmpdir(), 'tributary-bundles-'));
afterAll(() => rmSync(workplace, { recursive: true, force: true }));

/** Each package, its handler, and the SDK clients that it calls by. */
const PACKAGES = [
  { name: 'ingest', clients: ['dynamodb', 'kinesis', 'sqs'] },
  { name: 'record', clients: ['dynamodb', 'sqs'] },
  {
    name: 'decode',
    clients: ['dynamodb', 'kinesis', 'kms', 'sqs'],
    beside: ['node_modules/quickjs-wasi/quickjs.wasm'],
  },
  { name: 'authorize', clients: ['dynamodb'] },
  {
    name: 'authorizeUnsigned',
    folder: 'authorize',
    file: 'unsigned-handler',
    clients: ['dynamodb', 'kms'],
  },
  { name: 'register', clients: ['dynamodb', 'iot'] },
  { name: 'rotation', clients: ['dynamodb', 'iot'] },
  { name: 'expiry', clients: ['dynamodb', 'iot'] },
  { name: 'provision', clients: ['dynamodb'] },
  { name: 'detect', clients: ['dynamodb', 'iot-data-plane', 'sns', 'sqs'] },
  { name: 'guard', clients: ['dynamodb', 'sns', 'sqs'] },
  {
    name: 'defend',
    clients: ['dynamodb', 'eventbridge', 'iot', 'iot-data-plane', 'sns', 'sqs'],
  },
  { name: 'dashboard', clients: ['iot'] },
].map(({ folder, file = 'handler', beside = [], ...rest }) => ({
  ...rest,
  beside,
  folder: folder ?? rest.name,
  bundle: `functions/${folder ?? rest.name}/${file}.cjs`,
}));

describe.each(PACKAGES)('the package of $name', ({ name, folder, bundle, clients, beside }) => {
  const unpacked = join(workplace, name);
  const files = () => extractPackage(join(directory, `${name}.zip`), unpacked);

  it('holds the bundle and its map, what has to lie beside it, and nothing else', async () => {
    expect(new Set(await files())).toEqual(new Set([bundle, `${bundle}.map`, ...beside]));
  });

  it('holds no other function, nothing of the laptop, and no SDK for what it does not call', async () => {
    await files();
    const map = readFileSync(join(unpacked, `${bundle}.map`), 'utf8');
    const { sources } = JSON.parse(map) as { sources: string[] };
    const ours = sources.flatMap(
      (source) => /(?:^|\/)((?:functions|local|shared)\/.*\.ts)$/.exec(source)?.[1] ?? [],
    );
    expect(
      ours.filter(
        (source) => !source.startsWith('shared/') && !source.startsWith(`functions/${folder}/`),
      ),
    ).toEqual([]);
    const used = sources.flatMap(
      (source) => /@aws-sdk\/client-([a-z-]+)\//.exec(source)?.[1] ?? [],
    );
    expect(new Set(used)).toEqual(new Set(clients));
  });
});
