import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { openBackend } from '../boot/backend.ts';
import { declarePolicies } from '../boot/device-policies.ts';
import { openEvents } from '../boot/events.ts';
import { createExchange } from '../boot/exchange.ts';
import { loadResourcePolicies } from '../boot/resource-policies.ts';
import { createDeclared } from '../boot/stores.ts';
import { openTopics } from '../boot/topics.ts';
import { createWorld } from '../boot/world.ts';
import { type ResolvedStack, resolveTemplate } from '../core/template/index.ts';
import { iotOperations } from '../operations/iot/index.ts';
import { iotDataOperations } from '../operations/iot-data/index.ts';
import { snsOperations } from '../operations/sns/index.ts';
import { openPki } from '../pki/index.ts';
import { createRegistry } from '../stores/registry.ts';
import { linesOf } from './written.ts';

/**
 * What a function of a template calls, in a process of its own, for one invocation elsewhere: the stores, an empty
 * registry with the IoT policies, topics and event buses that nobody hears. Says `{"ready":true,"endpoint":…}` in one
 * line once it listens; ends with its standard input, and then says what was written meanwhile.
 */
const { values } = parseArgs({ options: { template: { type: 'string' } } });
const region = process.env['AWS_REGION'] ?? 'eu-central-1';
const world = createWorld({
  region,
  log: ({ level, source, message }) => {
    if (level === 'error') process.stderr.write(`${source}: ${message}\n`);
  },
});

const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/** What holds data, or is named in calls. Rules, roles, functions and who listens are nobody's business here. */
const CALLED =
  /^AWS::(?:Kinesis::Stream|DynamoDB::Table|SQS::Queue|KMS::(?:Key|Alias)|IoT::Policy|SNS::Topic|Events::EventBus)$/;

function calledIn(file: string): ResolvedStack {
  // as in packaging: a property that is null is none
  const withoutNull = (_key: string, value: unknown) => (value === null ? undefined : value);
  const { Resources } = Template.parse(JSON.parse(readFileSync(file, 'utf8'), withoutNull));
  const called = Object.entries(Resources).filter(([, { Type }]) => CALLED.test(Type));
  const template = { Resources: Object.fromEntries(called) };
  const stack = resolveTemplate(template, { ...world, partition: 'aws', stackName: 'invoke' });
  if (stack.problems.length === 0) return stack;
  throw new Error(`${file} cannot be started:\n${stack.problems.join('\n')}`);
}

async function openIot(stack: ResolvedStack) {
  const registry = createRegistry(world);
  declarePolicies(stack, registry);
  const directory = mkdtempSync(join(tmpdir(), 'tributary-invoke-'));
  const pki = await openPki({ directory, now: world.now });
  rmSync(directory, { recursive: true, force: true });
  return [
    ...iotOperations({ ...world, registry, pki }),
    // what is published is said at the end, and nobody is connected
    ...iotDataOperations({ ...world, publish: async () => {}, disconnect: () => false }),
  ];
}

function openMessages(stack: ResolvedStack) {
  const policies = loadResourcePolicies(stack);
  const nobody = () => {
    throw new Error('there is nobody to hear it');
  };
  const parts = openTopics(stack, { ...world, policies, send: nobody, invokeAsync: nobody });
  const events = openEvents(stack, world, { ...parts, policies, exchange: createExchange({}) });
  return [...snsOperations({ ...world, ...parts }), ...events.operations];
}

const written: string[] = [];
const stack = calledIn(values.template ?? '');
const backend = await openBackend({
  ...world,
  port: 0,
  callerOf: () => ({ kind: 'operator' }),
  authorize: () => ({ allowed: true, explanation: '' }),
  operations: [...(await openIot(stack)), ...openMessages(stack)],
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
