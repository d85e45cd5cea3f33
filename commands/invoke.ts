import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Command, type ExitCode, FAILED, FailedError, OK, UsageError } from './command.ts';

const EVENTS = 'events';

/** `npm run invoke -- <function> [event]`: the short form of `sls invoke local` with a sample event. */
export const invoke: Command = {
  name: 'invoke',
  summary: 'Runs one function on a sample event, offline and without credentials.',
  usage: `npm run invoke -- <function> [event] [--stage <name>] [--param <name>=<value>]

  <event>  a file, or the middle of a sample's name: \`nested\` is events/<function>.nested.json;
           without it the function's first sample is used
  --param  another value for a parameter of the stage: \`dashboard\` wants dashboards=enabled,
           \`provision\` wants fleetProvisioning=enabled`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        stage: { type: 'string', default: 'dev' },
        param: { type: 'string', multiple: true, default: [] },
      },
    });
    const [functionName, event] = positionals;
    if (functionName === undefined)
      throw new UsageError('Which function? For instance `npm run invoke -- ingest`.');
    const file = eventFile(functionName, event, readdirSync(EVENTS));
    return await invokeLocal(functionName, file, values.stage, values.param);
  },
};

/** @throws {FailedError} naming the samples there are */
export function eventFile(
  functionName: string,
  event: string | undefined,
  samples: readonly string[],
): string {
  if (event !== undefined && existsSync(event)) return event;
  const own = samples.filter((name) => name.startsWith(`${functionName}.`)).toSorted();
  const wanted =
    event === undefined ? own[0] : own.find((name) => name === `${functionName}.${event}.json`);
  if (wanted !== undefined) return join(EVENTS, wanted);
  const there = samples.filter((name) => name.endsWith('.json')).toSorted();
  throw new FailedError(
    own.length === 0
      ? `There is no sample for a function '${functionName}'; there are ${[...new Set(there.map((name) => name.split('.')[0]))].join(', ')}.`
      : `There is no event ${event} for ${functionName}; events/ holds ${own.join(', ')}.`,
  );
}

function invokeLocal(
  functionName: string,
  file: string,
  stage: string,
  parameters: readonly string[],
): Promise<ExitCode> {
  const sls = join('node_modules', 'serverless', 'bin', 'serverless.js');
  const flags = parameters.map((parameter) => `--param=${parameter}`);
  const args = [sls, 'invoke', 'local', '-f', functionName, '-p', file, '--stage', stage, ...flags];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? OK : FAILED));
  });
}
