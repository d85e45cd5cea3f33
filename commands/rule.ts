import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  ExternalCallError,
  runVectors,
  SqlSyntaxError,
  UnsupportedSqlError,
  type VectorReport,
} from '../local/core/sql/index.ts';
import {
  type RuleTest,
  type SampleMessage,
  type SampleWorld,
  testRules,
} from '../local/rule-test.ts';
import {
  type Command,
  type ExitCode,
  FAILED,
  FailedError,
  OK,
  type Terminal,
  UsageError,
} from './command.ts';
import { COMPILED_TEMPLATE, packageService } from './package-service.ts';

/** `npm run rule`: what the topic rules make of a message. */
export const rule: Command = {
  name: 'rule',
  summary: 'Tests topic rules on a message, without a laptop and without an account.',
  usage: `npm run rule -- [<rule>] --topic <topic> --payload <text|@file> [options]
npm run rule -- --sql <statement> --topic <topic> --payload <text|@file> [options]
npm run rule -- --vectors <file> [--json]

  <rule>               only this one: its name, its name without service and stage, or its logical id
  --sql <statement>    a loose statement instead of the template's rules
  --topic <topic>      as it is published, by Basic Ingest too: $aws/rules/<rule>/<topic>
  --payload <text>     the message; @file reads a file, byte for byte
  --explain            every value that was looked at
  --client-id <id>, --principal <id>, --source-ip <address>, --trace-id <id>, --https
  --at <time>          when it arrives: ISO 8601, or milliseconds since 1970 (1970)
  --answer <f>=<json>  what a function that calls a service answers: get_dynamodb='{"site":"north"}'
  --stage <name>       packages that stage first (without it: what was packaged last, if it is not out of date)
  --vectors <file>     runs a file of test vectors: {"vectors": [{"id", "sql", "topic", "payload", "expected"}]}
  --json               print data instead of text

Exits with 0 where a rule matches or all vectors pass, 1 where none does or the statement is wrong, 2 for wrong words.`,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: OPTIONS,
    });
    if (values.vectors !== undefined) return vectors(values.vectors, values.json, terminal);
    const [name, ...others] = positionals;
    if (others.length > 0)
      throw new UsageError(`One rule at a time, not also ${others.join(', ')}.`);
    if (name !== undefined && values.sql !== undefined) {
      throw new UsageError('Either a rule or --sql, not both.');
    }
    const sample = sampleOf(values);
    const source = values.sql ?? (await packagedTemplate(values.stage));
    const tests = await attempt(() => testRules(source, sample, worldOf(values, name)));
    if (values.json)
      terminal.out(`${JSON.stringify(tests.map((test) => plain(test, values.explain)))}\n`);
    else for (const test of tests) show(test, values.explain, terminal);
    return tests.some(({ matched }) => matched) ? OK : FAILED;
  },
};

const OPTIONS = {
  sql: { type: 'string' },
  topic: { type: 'string' },
  payload: { type: 'string' },
  explain: { type: 'boolean', default: false },
  'client-id': { type: 'string' },
  principal: { type: 'string' },
  'source-ip': { type: 'string' },
  'trace-id': { type: 'string' },
  https: { type: 'boolean', default: false },
  at: { type: 'string' },
  answer: { type: 'string', multiple: true, default: [] as string[] },
  stage: { type: 'string' },
  vectors: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function sampleOf(values: Values): SampleMessage {
  const { topic, payload, principal } = values;
  if (topic === undefined)
    throw new UsageError('On which topic? Say --topic dt/acme/probe-1/telemetry.');
  if (payload === undefined)
    throw new UsageError('With what payload? Say --payload \'{"a": 1}\' or @file.');
  const [clientId, sourceIp, traceId] = [
    values['client-id'],
    values['source-ip'],
    values['trace-id'],
  ];
  return {
    topic,
    payload: payload.startsWith('@') ? readBytes(payload.slice(1)) : payload,
    protocol: values.https ? 'http' : 'mqtt',
    ...(clientId !== undefined && { clientId }),
    ...(principal !== undefined && { principal }),
    ...(sourceIp !== undefined && { sourceIp }),
    ...(traceId !== undefined && { traceId }),
  };
}

function worldOf({ at, answer }: Values, name: string | undefined): SampleWorld {
  const services = Object.fromEntries(answer.map(serviceOf));
  return {
    services,
    ...(name !== undefined && { rule: name }),
    ...(at !== undefined && { nowMs: timeOf(at) }),
  };
}

function serviceOf(answer: string): [string, () => Promise<unknown>] {
  const [, name, json = ''] = /^(\w+)=(.*)$/s.exec(answer) ?? [];
  if (name === undefined) throw new UsageError(`--answer wants function=json, not ${answer}.`);
  const value = parseJson(json, `--answer ${name}`);
  return [name, async () => value];
}

function timeOf(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new UsageError(`--at wants a time such as 2026-01-31T12:00:00Z, not ${text}.`);
}

/** What stands in the way is the statement's or the rule's affair, and its message says all there is. */
async function attempt<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isTheirs =
      error instanceof SqlSyntaxError ||
      error instanceof UnsupportedSqlError ||
      error instanceof ExternalCallError ||
      error instanceof RangeError;
    throw isTheirs ? new FailedError(error.message) : error;
  }
}

function readBytes(file: string): Buffer {
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
  return readFileSync(file);
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

/** What makes a template; newer than it, it is packaged anew. */
const SOURCES = ['serverless.yml', 'resources', 'functions'];

async function packagedTemplate(stage: string | undefined): Promise<object> {
  if (stage !== undefined || isOutOfDate()) await packageService(stage ?? 'dev');
  return Object(parseJson(readFileSync(COMPILED_TEMPLATE, 'utf8'), COMPILED_TEMPLATE));
}

function isOutOfDate(): boolean {
  if (!existsSync(COMPILED_TEMPLATE)) return true;
  const packagedAtMs = statSync(COMPILED_TEMPLATE).mtimeMs;
  return SOURCES.flatMap(filesOf).some((file) => statSync(file).mtimeMs > packagedAtMs);
}

function filesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(path, name));
}

function plain(test: RuleTest, explain: boolean): unknown {
  const steps = explain
    ? { steps: test.steps.map(({ value: _, ...step }) => step) }
    : { steps: undefined };
  return test.matched ? { ...test, ...steps, payload: payloadOf(test) } : { ...test, ...steps };
}

/** JSON as it is; bytes that are none as base64. */
function payloadOf({ payload, binary }: RuleTest & { matched: true }): unknown {
  const bytes = Buffer.from(payload);
  if (binary) return { base64: bytes.toString('base64') };
  const text = bytes.toString();
  return text === '' ? undefined : JSON.parse(text);
}

function show(test: RuleTest, explain: boolean, { out }: Terminal): void {
  const line = (...parts: readonly string[]) => out(`  ${parts.join('  ')}\n`);
  out(`${test.rule}  ${test.matched ? 'matches' : `does not match: ${test.why}`}\n`);
  if (explain) {
    for (const { clause, line: row, column, source, text, type, why } of test.steps) {
      line(
        clause.padEnd(6),
        `${row}:${column}`.padEnd(6),
        `${source} = ${text}`,
        `(${why ?? type})`,
      );
    }
  }
  if (!test.matched) return;
  const bytes = Buffer.from(test.payload);
  line(
    'payload',
    test.binary ? `${bytes.toString('base64')} (base64, ${bytes.length} bytes)` : bytes.toString(),
  );
  for (const { source, why } of test.undefined) line('Undefined', `${source}: ${why}`);
  for (const { kind, isErrorAction, parameters } of test.actions) {
    line(isErrorAction ? 'on error' : 'action', kind, JSON.stringify(parameters));
  }
}

function vectors(file: string, json: boolean, terminal: Terminal): ExitCode {
  const report = vectorReport(parseJson(readBytes(file).toString(), file), file);
  if (json) terminal.out(`${JSON.stringify(report)}\n`);
  else showReport(report, terminal);
  return report.failed.length === 0 ? OK : FAILED;
}

function vectorReport(file: unknown, name: string): VectorReport {
  try {
    return runVectors(file);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}

function showReport({ passed, failed }: VectorReport, { out }: Terminal): void {
  for (const { id, sql, expected, actual } of failed) {
    out(
      `${id}  ${sql}\n  expected  ${JSON.stringify(expected)}\n  actual    ${JSON.stringify(actual)}\n`,
    );
  }
  out(`${passed.length} passed, ${failed.length} failed\n`);
}
