import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { openBackend } from '../boot/backend.ts';
import { createDeclared } from '../boot/stores.ts';
import { resolveTemplate } from '../core/template/index.ts';
import type { FaultyCall } from '../servers/aws-faults.ts';

/**
 * The stores of a template in a process of their own, for one invocation of a function elsewhere. Says
 * `{"ready":true,"endpoint":…}` in one line once they listen; ends with its standard input, and then says what was
 * written meanwhile.
 */
const { values } = parseArgs({ options: { template: { type: 'string' } } });
const place = { accountId: '000000000000', region: process.env['AWS_REGION'] ?? 'eu-central-1' };

const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/** What holds data. Rules, roles and functions are nobody's business here. */
const STORES = /^AWS::(?:Kinesis::Stream|DynamoDB::Table|SQS::Queue|KMS::(?:Key|Alias))$/;

function storesOf(file: string) {
  const { Resources } = Template.parse(JSON.parse(readFileSync(file, 'utf8')));
  const stores = Object.entries(Resources).filter(([, { Type }]) => STORES.test(Type));
  const template = { Resources: Object.fromEntries(stores) };
  const stack = resolveTemplate(template, { ...place, partition: 'aws', stackName: 'invoke' });
  if (stack.problems.length === 0) return stack;
  throw new Error(`${file} cannot be started:\n${stack.problems.join('\n')}`);
}

const Written = z.union([
  z.object({
    StreamName: z.string(),
    Records: z.array(z.object({ Data: z.instanceof(Uint8Array) })),
  }),
  z.object({ QueueUrl: z.string(), Entries: z.array(z.object({ MessageBody: z.string() })) }),
  z.object({
    RequestItems: z.record(z.string(), z.array(z.looseObject({ PutRequest: z.unknown() }))),
  }),
  z.object({ TableName: z.string(), Item: z.unknown() }),
]);

const WRITES = /\.(?:PutRecords?|SendMessage(?:Batch)?|BatchWriteItem|PutItem|UpdateItem)$/;

/** One line for each thing that a call writes: where to, and what. */
function linesOf({ target, input }: FaultyCall): string[] {
  const { data } = WRITES.test(target) ? Written.safeParse(input) : {};
  if (data === undefined) return [];
  if ('StreamName' in data) {
    return data.Records.map(({ Data }) => `${data.StreamName}: ${Buffer.from(Data)}`);
  }
  if ('QueueUrl' in data) {
    const queue = data.QueueUrl.split('/').at(-1);
    return data.Entries.map(({ MessageBody }) => `${queue}: ${MessageBody}`);
  }
  if ('TableName' in data) return [`${data.TableName}: ${JSON.stringify(data.Item)}`];
  return Object.entries(data.RequestItems).flatMap(([table, requests]) =>
    requests.map((request) => `${table}: ${JSON.stringify(request)}`),
  );
}

const written: string[] = [];
const stack = storesOf(values.template ?? '');
const backend = await openBackend({
  ...place,
  now: Date.now,
  uuid: randomUUID,
  log: ({ level, source, message }) => {
    if (level === 'error') process.stderr.write(`${source}: ${message}\n`);
  },
  port: 0,
  callerOf: () => ({ kind: 'operator' }),
  authorize: () => ({ allowed: true, explanation: '' }),
  operations: [],
  faults: (call) => {
    written.push(...linesOf(call));
    return undefined;
  },
});
await createDeclared(stack, backend, backend.url);
process.stdout.write(`${JSON.stringify({ ready: true, endpoint: backend.url })}\n`);
process.stdin.resume();
process.stdin.once('end', () => {
  process.stdout.write(
    written.length === 0 ? 'nothing\n' : `\n${written.map((line) => `  ${line}`).join('\n')}\n`,
  );
  process.exit(0);
});
