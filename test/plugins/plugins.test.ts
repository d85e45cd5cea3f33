import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyOfSources, sls } from '../support/template.ts';

/** Stands in for the engines: says where it listens, and when its stdin ends, what was written. */
const ENGINES = `
import { existsSync, writeFileSync } from 'node:fs';
const template = process.argv[process.argv.indexOf('--template') + 1];
writeFileSync('engines-ran', String(existsSync(template)));
console.log(JSON.stringify({ endpoint: 'http://127.0.0.1:9', ready: true }));
process.stdin.resume().on('end', () => console.log('{"streams":{"tributary-dev-readings":1}}'));
`;

let folder: string;
beforeAll(() => {
  folder = copyOfSources();
  mkdirSync(join(folder, 'local/cli'), { recursive: true });
  writeFileSync(join(folder, 'local/cli/engines.ts'), ENGINES);
  writeFileSync(join(folder, 'empty.json'), '{"Records":[]}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const invoke = (environment: NodeJS.ProcessEnv = {}, name = 'ingest') => {
  rmSync(join(folder, 'engines-ran'), { force: true });
  return sls(folder, ['invoke', 'local', '-f', name, '-p', 'empty.json'], environment);
};

describe('sls invoke local', () => {
  it('runs a function against engines of its own where no place is chosen, and says what was written', () => {
    const { stdout, stderr, status } = invoke();
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(JSON.parse(stdout)).toEqual({ batchItemFailures: [] });
    expect(stderr).toContain('Written by the call: {"streams":{"tributary-dev-readings":1}}');
  });

  it('starts nothing where credentials are set', () => {
    const { stdout } = invoke({ AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' });
    expect(JSON.parse(stdout)).toEqual({ batchItemFailures: [] });
    expect(existsSync(join(folder, 'engines-ran'))).toBe(false);
  });

  it('ends the engines when the call cannot be made', () => {
    const { status, stdout, stderr } = invoke({}, 'nope');
    expect(status).toBe(1);
    expect(`${stdout}${stderr}`).toContain(`Function "nope" doesn't exist`);
    expect(stderr).toContain('Written by the call');
  });
});

interface Plugin {
  readonly hooks: { readonly initialize: () => void };
}

/** A plugin as osls makes it, with just the part of osls that it looks at. */
async function plugin(name: string, serverless: object): Promise<Plugin> {
  const module: { default: new (osls: object) => Plugin } = await import(
    `../../plugins/${name}.mjs`
  );
  return new module.default({ classes: { Error }, ...serverless });
}

describe('the name of a stage', () => {
  const check = async (stage: string) => {
    const { hooks } = await plugin('stage-name', { service: { provider: { stage } } });
    return hooks.initialize;
  };

  it.each(['dev', 'prod2', 'a', 'a'.repeat(16)])('may be %s', async (stage) => {
    expect(await check(stage)).not.toThrow();
  });

  it.each(['', 'eu-dev', 'Dev', '1dev', 'a'.repeat(17), 'dév'])('may not be %j', async (stage) => {
    expect(await check(stage)).toThrow(`Stage "${stage}" cannot be used`);
  });
});

it('a build begins without what an earlier one left behind', async () => {
  const left = join(folder, '.esbuild/.build/functions/ingest/left-behind.txt');
  mkdirSync(join(left, '..'), { recursive: true });
  writeFileSync(left, 'old');
  const { hooks } = await plugin('fresh-build', { serviceDir: folder });
  hooks.initialize();
  expect(existsSync(left)).toBe(false);
});
