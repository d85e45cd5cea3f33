import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type SampleMessage, testRules } from '../../local/rule-test.ts';
import { packageService, resourcesOf } from '../support/template.ts';

/**
 * Each file in `messages` holds a message and what the project's rules make of it. `UPDATE_RULES=1 npm test -- test/rules`
 * writes the outcomes anew, to be read before they are committed.
 */
const FOLDER = join(import.meta.dirname, 'messages');
const { template } = packageService();
const names = resourcesOf(template, 'AWS::IoT::TopicRule').map(([, { Properties }]) =>
  String(Properties?.['RuleName']),
);

interface Golden {
  readonly message: SampleMessage & { readonly payloadBase64?: string };
  readonly at: string;
  /** Of the rules that match, by name. */
  readonly outcomes: Readonly<Record<string, unknown>>;
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Golden;

async function outcomesOf({ message, at }: Golden): Promise<Record<string, unknown>> {
  const { payloadBase64, ...rest } = message;
  const payload = payloadBase64 === undefined ? rest.payload : Buffer.from(payloadBase64, 'base64');
  const tests = await testRules(template, { ...rest, payload }, { nowMs: Date.parse(at) });
  return Object.fromEntries(
    tests.flatMap((test) => {
      if (!test.matched) return [];
      const outgoing: unknown = JSON.parse(Buffer.from(test.payload).toString());
      const actions = test.actions.map(({ kind, parameters }) => ({ [kind]: parameters }));
      return [[test.rule, { payload: outgoing, actions }]];
    }),
  );
}

describe('the project’s rules', () => {
  it.each(files)('make of %s what they made before', async (file) => {
    const golden = read(file);
    const outcomes = await outcomesOf(golden);
    if (process.env['UPDATE_RULES']) {
      const text = JSON.stringify({ ...golden, outcomes }, null, 2);
      writeFileSync(join(FOLDER, file), `${text}\n`);
    }
    const expected = Object.entries(read(file).outcomes).filter(([name]) => names.includes(name));
    expect(outcomes).toEqual(Object.fromEntries(expected));
  });

  it('have each a message that they match', () => {
    const matched = new Set(files.flatMap((file) => Object.keys(read(file).outcomes)));
    expect(names.filter((name) => !matched.has(name))).toEqual([]);
  });
});

const EVENTS = join(import.meta.dirname, '../../events');

/** What a telemetry envelope says of the message it came from. */
interface Envelope {
  readonly source: string;
  readonly data: string;
  readonly topic: string;
  readonly clientId: string;
  readonly receivedAtMs: number;
  readonly messageId: string;
  readonly [member: string]: unknown;
}

const envelopes = readdirSync(EVENTS)
  .filter((file) => file.startsWith('ingest.'))
  .flatMap((file) => {
    const { Records } = JSON.parse(readFileSync(join(EVENTS, file), 'utf8')) as {
      Records: { kinesis: { data: string; partitionKey: string } }[];
    };
    return Records.map(({ kinesis }, at) => ({
      name: `${file} ${at}`,
      partitionKey: kinesis.partitionKey,
      text: Buffer.from(kinesis.data, 'base64').toString(),
    }));
  })
  .flatMap(({ text, ...rest }) => {
    const envelope = JSON.parse(text) as Envelope;
    return envelope.source === 'telemetry' ? [{ ...rest, envelope }] : [];
  });

describe('the sample events of ingest', () => {
  it.each(envelopes)('$name is what the telemetry rule makes of its message', async (given) => {
    const { envelope, partitionKey } = given;
    const { data, topic, clientId, receivedAtMs, messageId, ...rest } = envelope;
    const { principal, sourceIp, traceId } = rest;
    const isHttps = clientId === 'n/a';
    const [test] = await testRules(
      template,
      {
        topic,
        payload: Buffer.from(data, 'base64'),
        protocol: isHttps ? 'http' : 'mqtt',
        ...(!isHttps && { clientId }),
        ...(typeof principal === 'string' && { principal }),
        ...(typeof sourceIp === 'string' && { sourceIp }),
        ...(typeof traceId === 'string' && { traceId }),
      },
      { rule: 'telemetry', nowMs: receivedAtMs, uuid: () => messageId },
    );
    if (!test?.matched) throw new Error(test?.why);
    expect(JSON.parse(Buffer.from(test.payload).toString())).toEqual(envelope);
    expect(test.actions[0]).toMatchObject({
      kind: 'Kinesis',
      parameters: { PartitionKey: partitionKey },
    });
  });
});
