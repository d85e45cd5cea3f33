import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { FailedError, UsageError } from './command.ts';

/** Where `npm start` says what it listens on; every other command reads it. Git-ignored. */
export const LAPTOP_FILE = join('.tributary', 'laptop.json');

/** What `npm start` writes while it runs. */
export const LaptopFile = z.object({
  pid: z.int(),
  stage: z.string(),
  region: z.string(),
  accountId: z.string(),
  /** The one endpoint of all AWS APIs, `http://127.0.0.1:<port>`. */
  awsEndpoint: z.url(),
  mqttPort: z.int(),
  httpsPort: z.int(),
  /** Stands for AWS's 443: WebSockets, signatures and custom authorizers. */
  port443: z.int(),
  /** Domain configurations, a port each. */
  domains: z.array(
    z.object({
      name: z.string(),
      domainName: z.string(),
      authentication: z.string(),
      application: z.string(),
      port: z.int(),
    }),
  ),
  /** What a client trusts the device gateway by. */
  caFile: z.string(),
  devicesDirectory: z.string(),
});
export type LaptopFile = z.infer<typeof LaptopFile>;

export interface Target {
  readonly kind: 'laptop' | 'aws';
  readonly stage: string;
  /** For the constructor of any AWS SDK client. */
  readonly client: {
    readonly region?: string;
    readonly endpoint?: string;
    readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly laptop?: LaptopFile;
}

/** Options that every command which talks to a stage has. */
export const TARGET_OPTIONS = {
  stage: { type: 'string' },
  region: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const TARGET_LINES = [
  [
    '--stage <name>',
    'a stage on AWS, with your own credentials (without it: the laptop that runs here)',
  ],
  ['--region <name>', "the stage's region (without it: your AWS configuration's)"],
  ['--json', 'print data instead of text'],
] as const;

/** Their lines of a command's usage, where explanations begin in that column. */
export const targetUsage = (column = 19): string =>
  TARGET_LINES.map(([option, says]) => `  ${option}`.padEnd(column) + says).join('\n');

/** A token of `parseArgs`. */
interface Token {
  readonly kind: string;
  readonly name?: string;
}

/**
 * Refuses options that a verb has no use for, where they would be ignored.
 *
 * @param tokens  what was typed, of `parseArgs`
 * @param own     the options that it has beside those of every command
 */
export function refuseOthers(
  verb: string,
  tokens: readonly Token[],
  own: readonly string[] = [],
): void {
  const known = [...Object.keys(TARGET_OPTIONS), ...own];
  const other = tokens.find(({ kind, name = '' }) => kind === 'option' && !known.includes(name));
  if (other !== undefined) throw new UsageError(`--${other.name} is not for \`${verb}\`.`);
}

/** Any key the laptop did not give to a function is the operator's. */
export const OPERATOR = { accessKeyId: 'operator', secretAccessKey: 'operator' };

/**
 * The laptop that runs in this folder, or with `--stage` a stage on AWS.
 * @throws {FailedError} when no laptop runs here
 */
export function findTarget(options: {
  stage?: string | undefined;
  region?: string | undefined;
}): Target {
  if (options.stage !== undefined) {
    const client = options.region === undefined ? {} : { region: options.region };
    return { kind: 'aws', stage: options.stage, client };
  }
  const laptop = readLaptop();
  return {
    kind: 'laptop',
    stage: laptop.stage,
    client: { region: laptop.region, endpoint: laptop.awsEndpoint, credentials: OPERATOR },
    laptop,
  };
}

function readLaptop(): LaptopFile {
  const nothing =
    'Nothing runs here: start the laptop with `npm start`, or name a stage on AWS with `--stage <name>`.';
  if (!existsSync(LAPTOP_FILE)) throw new FailedError(nothing);
  const laptop = LaptopFile.parse(JSON.parse(readFileSync(LAPTOP_FILE, 'utf8')));
  if (!isAlive(laptop.pid)) throw new FailedError(nothing);
  return laptop;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
