import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/** As in packaging. */
const plugins: Plugin[] = createRequire(import.meta.url)('../../plugins/lambda-credentials.cjs');

export interface Bundle {
  readonly file: string;
  readonly bytes: number;
  /** Bytes of the bundle by package, the largest first. */
  readonly packages: Readonly<Record<string, number>>;
}

/** With the options of `serverless.yml`, under `custom.esbuild`. */
export async function bundleHandler(
  entry: Pick<BuildOptions, 'entryPoints' | 'stdin'>,
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

/** CPU of loading the file in a new process, without the start of the process, in milliseconds. */
export function importMs(file: string, environment: Readonly<Record<string, string>>): number {
  const script = `const before = process.cpuUsage(); require(${JSON.stringify(file)});
    const { user, system } = process.cpuUsage(before); process.stdout.write(String((user + system) / 1000));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    env: environment,
    encoding: 'utf8',
  });
  // before the message, Node prints the line that threw: of a minified bundle, all of it
  const why = stderr.slice(stderr.lastIndexOf('\nError: '));
  if (status !== 0) throw new Error(`${file} does not load: ${why}`);
  return Number(stdout);
}
