import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const ENGINES = 'local/cli/engines.ts';
const START_LIMIT_MS = 20_000;
/** The account that the engines are in. */
const ACCOUNT = '000000000000';

/** Any of these means that the person has a place in mind where the handler's calls are to go. */
const CHOSEN_BY = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_ENDPOINT_URL',
];

/**
 * Lets `sls invoke local` run without an account: starts the streams, tables and queues of this service for the one
 * call, and says what the call wrote. Does nothing where credentials or an endpoint are set.
 */
export default class InvokeLocal {
  constructor(serverless, options, { log }) {
    // the esbuild plugin puts its own folder in this place while it bundles
    const { serviceDir } = serverless;
    let engines;
    const stop = async () => {
      const summary = await engines?.stop();
      engines = undefined;
      if (summary !== undefined)
        log.notice(`Written by the call:${summary.startsWith('\n') ? '' : ' '}${summary}`);
    };
    this.hooks = {
      initialize: async () => {
        if (serverless.processedInput.commands.join(' ') !== 'invoke local') return;
        if (isPlaceChosen(process.env, options)) return;
        engines = await startEngines(serviceDir, serverless.service.resources);
        // before osls looks for credentials, which without a network takes seconds
        Object.assign(process.env, {
          AWS_ENDPOINT_URL: engines.endpoint,
          AWS_ACCESS_KEY_ID: 'invokelocal',
          AWS_SECRET_ACCESS_KEY: 'invokelocal',
        });
      },
      'before:invoke:local:invoke': () => {
        // osls says /var/task; what bundles have beside them lies among the modules here
        process.env.LAMBDA_TASK_ROOT = serviceDir;
        options.context ??= contextOf(options.functionObj, serverless.service.provider);
      },
      'after:invoke:local:invoke': stop,
      error: stop,
    };
  }
}

/** Lambda's, with where the function is: osls leaves that out, and functions name their neighbours by it. */
function contextOf({ name, timeout, memory }, provider) {
  const endsAtMs = Date.now() + 1000 * (timeout ?? provider.timeout);
  return {
    awsRequestId: randomUUID(),
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${provider.region}:${ACCOUNT}:function:${name}`,
    memoryLimitInMB: String(memory ?? provider.memorySize),
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - Date.now()),
  };
}

function isPlaceChosen(env, options) {
  const credentials = env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws/credentials');
  const config = env.AWS_CONFIG_FILE ?? join(homedir(), '.aws/config');
  return (
    options['aws-profile'] !== undefined ||
    CHOSEN_BY.some((name) => env[name]) ||
    existsSync(credentials) ||
    existsSync(config)
  );
}

/** The embedded engines in a process of their own: they are TypeScript, and this may be an older Node. */
async function startEngines(serviceDir, resources) {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-invoke-'));
  const template = join(folder, 'template.json');
  writeFileSync(template, JSON.stringify({ Resources: resources.Resources }));
  const path = `${join(serviceDir, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
  const child = spawn('node', [join(serviceDir, ENGINES), '--template', template], {
    cwd: serviceDir,
    env: { ...process.env, PATH: path },
    // stdin stays open for as long as this process lives: the engines end with it, however it ends
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const stop = async () => {
    child.stdin.end();
    let summary = '';
    for await (const line of lines) summary += `${line}\n`;
    await ended;
    rmSync(folder, { recursive: true, force: true });
    return summary.trimEnd();
  };
  const { endpoint } = await firstLine(child, lines).catch(async (error) => {
    child.kill();
    await stop();
    throw error;
  });
  return { endpoint, stop };
}

/** @returns {Promise<{ endpoint: string }>} what the engines say of themselves once they listen */
async function firstLine(child, lines) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    const problem = `${ENGINES} was not ready within ${START_LIMIT_MS / 1000} s`;
    timer = setTimeout(() => reject(new Error(problem)), START_LIMIT_MS);
    child.once('error', reject);
  });
  try {
    const { value, done } = await Promise.race([lines.next(), late]);
    if (done) throw new Error(`${ENGINES} ended before it was ready; what it said is above`);
    return JSON.parse(value);
  } finally {
    clearTimeout(timer);
  }
}
