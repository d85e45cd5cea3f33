import {
  type Command,
  type ExitCode,
  FAILED,
  FailedError,
  MISUSED,
  OK,
  type Terminal,
  UsageError,
} from './command.ts';

/** Loaded when called, so that `--help` does not wait for the SDK. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  anomalies: async () => (await import('./anomalies.ts')).anomalies,
  incident: async () => (await import('./incident.ts')).incident,
  audit: async () => (await import('./audit.ts')).audit,
  explain: async () => (await import('./explain.ts')).explain,
  start: async () => (await import('./start.ts')).start,
  readings: async () => (await import('./readings.ts')).readings,
  device: async () => (await import('./device.ts')).device,
  codec: async () => (await import('./codec.ts')).codec,
  lorawan: async () => (await import('./lorawan.ts')).lorawan,
  replay: async () => (await import('./replay.ts')).replay,
  rule: async () => (await import('./rule.ts')).rule,
  invoke: async () => (await import('./invoke.ts')).invoke,
};

const terminalOf = (process: NodeJS.Process): Terminal => ({
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
});

/** Runs `<command> <args…>` and gives the process's exit code: 0 done, 1 could not be done, 2 called wrongly. */
export async function main(
  argv: readonly string[],
  terminal = terminalOf(process),
): Promise<ExitCode> {
  const [name = '', ...args] = argv;
  const load = COMMANDS[name];
  if (load === undefined) {
    terminal.err(`There is no command '${name}'; there are ${Object.keys(COMMANDS).join(', ')}.\n`);
    return MISUSED;
  }
  const command = await load();
  if (args.includes('--help')) {
    terminal.out(`${command.summary}\n\n${command.usage}\n`);
    return OK;
  }
  try {
    return (await command.run(args, terminal)) ?? OK;
  } catch (error) {
    return explain(error, command, terminal);
  }
}

function explain(error: unknown, command: Command, terminal: Terminal): ExitCode {
  if (error instanceof FailedError) {
    terminal.err(`${error.message}\n`);
    return FAILED;
  }
  if (error instanceof UsageError || isArgumentError(error)) {
    terminal.err(`${error.message.replace(ADVICE, '.')}\n\n${command.usage}\n`);
    return MISUSED;
  }
  throw error;
}

/** What `parseArgs` adds about arguments that begin with a dash: none of ours do. */
const ADVICE = /\. To specify a positional argument .*$/s;

/** `parseArgs` of node:util marks its complaints about unknown or incomplete options with such codes. */
const isArgumentError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
