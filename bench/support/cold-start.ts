import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, bundleHandler, importMs } from './handler-bundle.ts';
import { median } from './rounds.ts';

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
  SIGNALS_STREAM: 'signals',
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
        times.set(file, [...(times.get(file) ?? []), importMs(file, ENVIRONMENT)]);
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
  const own = await bundleHandler(
    { entryPoints: [`functions/${name}/handler.ts`] },
    join(directory, `${name}.cjs`),
  );
  const lines = clients.flatMap((client) => [
    `import { ${CLASSES[client]} } from '@aws-sdk/client-${client}';`,
    `export const ${client} = new ${CLASSES[client]}({});`,
  ]);
  const contents = [...lines, 'export const handler = async () => {};'].join('\n');
  const empty = await bundleHandler(
    { stdin: { contents, resolveDir: '.' } },
    join(directory, `${name}-empty.cjs`),
  );
  return { name, own, empty };
}
