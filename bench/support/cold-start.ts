import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { median } from './rounds.ts';

/** As in packaging. */
const plugins: Plugin[] = createRequire(import.meta.url)('../../plugins/lambda-credentials.cjs');

/** Size of a function's bundle, and what loading it costs a new container; beside, a handler that does nothing. */
export interface ColdStart {
  readonly function: string;
  readonly bytes: number;
  readonly importMs: number;
  /** An empty handler with the same SDK clients, bundled the same way. */
  readonly emptyBytes: number;
  readonly emptyImportMs: number;
  /** Bytes of the bundle by package, the largest first. */
  readonly packages: Readonly<Record<string, number>>;
}

interface Bundle {
  readonly file: string;
  readonly bytes: number;
  readonly packages: Readonly<Record<string, number>>;
}

interface Pair {
  readonly name: string;
  readonly own: Bundle;
  readonly empty: Bundle;
}

const FUNCTIONS: readonly { readonly name: string; readonly clients: readonly string[] }[] = [
  { name: 'ingest', clients: ['dynamodb', 'kinesis', 'sqs'] },
  { name: 'record', clients: ['dynamodb', 'sqs'] },
];

const CLASSES: Readonly<Record<string, string>> = {
  dynamodb: 'DynamoDBClient',
  kinesis: 'KinesisClient',
  sqs: 'SQSClient',
};

const ENVIRONMENT = {
  AWS_REGION: 'eu-central-1',
  READINGS_STREAM: 'readings',
  READINGS_TABLE: 'readings',
  DEVICES_TABLE: 'devices',
  DEAD_LETTER_QUEUE: 'dead-letters',
  HISTORY_DAYS: '30',
};

/** Bundles each function as the package does, and loads the bundles in new processes, in turns. */
export async function measureColdStarts(rounds: number): Promise<readonly ColdStart[]> {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-bench-'));
  try {
    const pairs = await Promise.all(FUNCTIONS.map((one) => bundlePair(one, directory)));
    const times = new Map<string, number[]>();
    for (let round = 0; round < rounds; round += 1) {
      for (const { file } of pairs.flatMap(({ own, empty }) => [own, empty])) {
        times.set(file, [...(times.get(file) ?? []), importMs(file)]);
      }
    }
    return pairs.map(({ name, own, empty }) => ({
      function: name,
      bytes: own.bytes,
      importMs: median(times.get(own.file) ?? []),
      emptyBytes: empty.bytes,
      emptyImportMs: median(times.get(empty.file) ?? []),
      packages: own.packages,
    }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function bundlePair(
  { name, clients }: (typeof FUNCTIONS)[number],
  directory: string,
): Promise<Pair> {
  const own = await bundle(
    { entryPoints: [`functions/${name}/handler.ts`] },
    join(directory, `${name}.cjs`),
  );
  const lines = clients.flatMap((client) => [
    `import { ${CLASSES[client]} } from '@aws-sdk/client-${client}';`,
    `export const ${client} = new ${CLASSES[client]}({});`,
  ]);
  const contents = [...lines, 'export const handler = async () => {};'].join('\n');
  const empty = await bundle(
    { stdin: { contents, resolveDir: '.' } },
    join(directory, `${name}-empty.cjs`),
  );
  return { name, own, empty };
}

/** With the options of `serverless.yml`, under `custom.esbuild`. */
async function bundle(
  entry: { entryPoints: string[] } | { stdin: { contents: string; resolveDir: string } },
  file: string,
): Promise<Bundle> {
  const { metafile } = await build({
    ...entry,
    outfile: file,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    plugins,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
  });
  const [output] = Object.values(metafile.outputs);
  return { file, bytes: statSync(file).size, packages: byPackage(output?.inputs ?? {}) };
}

function byPackage(
  inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>,
): Readonly<Record<string, number>> {
  const bytes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'tributary';
    if (bytesInOutput > 0) bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput);
  }
  return Object.fromEntries([...bytes].sort(([, one], [, other]) => other - one));
}

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
