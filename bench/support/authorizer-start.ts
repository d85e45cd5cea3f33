import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleHandler, importMs } from './handler-bundle.ts';
import { median } from './rounds.ts';

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
  INCIDENTS_TABLE: 'incidents',
  PEPPER_KEY: 'alias/pepper',
};

/** Bundles both with the options of `serverless.yml`, and loads each in new processes, in turns. */
export async function measureStarts(rounds: number): Promise<readonly AuthorizerStart[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  try {
    const bundles = await Promise.all(
      HANDLERS.map(async ({ name, entry }, at) => {
        const file = join(directory, `${at}.cjs`);
        const { bytes } = await bundleHandler({ entryPoints: [entry] }, file);
        return { name, file, bytes, times: [] as number[] };
      }),
    );
    for (let round = 0; round < rounds; round += 1) {
      for (const { file, times } of bundles) times.push(importMs(file, ENVIRONMENT));
    }
    return bundles.map(({ name, bytes, times }) => ({
      name,
      bytes,
      importMs: median(times),
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
