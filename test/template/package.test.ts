import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { extractPackage } from '../../local/runtime/lambda-package.ts';
import { packageService } from '../support/template.ts';

const { directory } = packageService();
const folder = mkdtempSync(join(tmpdir(), 'tributary-bundles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sourcesOf = async (name: string): Promise<string[]> => {
  await extractPackage(join(directory, `${name}.zip`), join(folder, name));
  const map = readFileSync(join(folder, name, `functions/${name}/handler.cjs.map`), 'utf8');
  const { sources } = JSON.parse(map) as { sources: string[] };
  return sources;
};

describe.each(['ingest', 'record'])('the package of %s', (name) => {
  it('holds the bundle and its map, and nothing else', async () => {
    const files = await extractPackage(
      join(directory, `${name}.zip`),
      join(folder, `${name}-files`),
    );
    expect(new Set(files)).toEqual(
      new Set([`functions/${name}/handler.cjs`, `functions/${name}/handler.cjs.map`]),
    );
  });

  it('holds no other function, nothing of the laptop, and no SDK for what it does not call', async () => {
    const sources = await sourcesOf(name);
    const ours = sources.flatMap(
      (source) => /(?:^|\/)((?:functions|local|shared)\/.*\.ts)$/.exec(source)?.[1] ?? [],
    );
    expect(
      ours.filter(
        (source) => !source.startsWith('shared/') && !source.startsWith(`functions/${name}/`),
      ),
    ).toEqual([]);
    const clients = sources.flatMap(
      (source) => /@aws-sdk\/client-([a-z-]+)\//.exec(source)?.[1] ?? [],
    );
    expect(new Set(clients)).toEqual(
      new Set(name === 'ingest' ? ['dynamodb', 'kinesis', 'sqs'] : ['dynamodb', 'sqs']),
    );
  });
});
