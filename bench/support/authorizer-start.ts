import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { median } from './rounds.ts';

const plugins: Plugin[] = createRequire(import.meta.url)('../../plugins/lambda-credentials.cjs');

/** What a new container of an authorizer loads, and what that costs. */
export interface AuthorizerStart {
  readonly name: string;
  readonly bytes: number;
  readonly importMs: number;
}

const HANDLERS = [
  { name: 'authorize (signed)', entry: 'functions/authorize/handler.ts' },
  { name: 'authorize (unsigned)', entry: 'functions/authorize/unsigned-handler.ts' },
] as const;

const ENVIRONMENT = {
  AWS_REGION: 'eu-central-1',
  STAGE: 'dev',
  ISSUERS: '[]',
  DOMAINS: '',
  REFRESH_SECONDS: '300',
  ACCEPTS: 'jwt,password',
  CREDENTIALS_TABLE: 'credentials',
  PEPPER_KEY: 'alias/pepper',
};

/** Bundles both with the options of `serverless.yml`, and loads each in new processes, in turns. */
export async function measureStarts(rounds: number): Promise<readonly AuthorizerStart[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  try {
    const bundles = await Promise.all(
      HANDLERS.map(async ({ name, entry }, at) => {
        const outfile = join(directory, `${at}.cjs`);
        await bundle(entry, outfile);
        return { name, file: outfile, times: [] as number[] };
      }),
    );
    for (let round = 0; round < rounds; round += 1) {
      for (const { file, times } of bundles) times.push(importMs(file));
    }
    return bundles.map(({ name, file, times }) => ({
      name,
      bytes: statSync(file).size,
      importMs: median(times),
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const bundle = (entry: string, outfile: string) =>
  build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    plugins,
    logLevel: 'error',
  });

/** CPU of loading the file in a new process, without the start of the process. */
function importMs(file: string): number {
  const script = `const before = process.cpuUsage(); require(${JSON.stringify(file)});
    const { user, system } = process.cpuUsage(before); process.stdout.write(String((user + system) / 1000));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    env: ENVIRONMENT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${file} does not load: ${stderr}`);
  return Number(stdout);
}
