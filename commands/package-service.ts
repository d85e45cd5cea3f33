import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { FailedError } from './command.ts';

/** Where osls leaves the template that `sls deploy` would send, and the functions' zips beside it. */
export const PACKAGE_DIRECTORY = '.serverless';
export const COMPILED_TEMPLATE = join(
  PACKAGE_DIRECTORY,
  'cloudformation-template-update-stack.json',
);

/**
 * Runs `sls package`, offline and without credentials.
 *
 * @param parameters  `name=value`, in place of the stage's own
 * @throws {FailedError} with what the Serverless Framework printed
 */
export async function packageService(
  stage: string,
  parameters: readonly string[] = [],
): Promise<void> {
  const sls = join('node_modules', 'serverless', 'bin', 'serverless.js');
  const flags = parameters.map((parameter) => `--param=${parameter}`);
  const args = [sls, 'package', '--stage', stage, ...flags];
  const { code, output } = await run(process.execPath, args);
  if (code !== 0) throw new FailedError(`\`sls package --stage ${stage}\` failed:\n${output}`);
}

function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
