import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { compileRule, compileTemplate, type SqlMessage } from '../../local/core/sql/index.ts';
import { parseEnvelope, payloadOf } from '../../shared/core/envelope.ts';
import { packageService, resourcesOf } from '../support/template.ts';

interface RulePayload {
  readonly Sql: string;
  readonly Actions: readonly { readonly Kinesis: { readonly PartitionKey: string } }[];
}

const rules = resourcesOf(packageService().template, 'AWS::IoT::TopicRule');
const { Sql, Actions } = Object(rules[0]?.[1].Properties?.['TopicRulePayload']) as RulePayload;
const rule = compileRule(Sql);
const partitionKey = compileTemplate(Actions[0]?.Kinesis.PartitionKey ?? '');

const RECEIVED_AT_MS = 1_790_000_000_250;
const PRINCIPAL = '7f4b1c0e9a3d5f62b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5';

const world = {
  nowMs: RECEIVED_AT_MS,
  accountId: '000000000000',
  region: 'eu-central-1',
  random: () => 0.5,
  uuid: () => '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1',
};

const published = (topic: string, payload: Uint8Array = Buffer.from('{}')): SqlMessage => ({
  topic,
  payload,
  protocol: 'mqtt',
  clientId: 'probe-1',
  principal: PRINCIPAL,
  sourceIp: '203.0.113.7',
  traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d20',
});

const envelopeOf = (message: SqlMessage) => {
  const outcome = rule.evaluate(message, world);
  return outcome.matched ? parseEnvelope(Buffer.from(outcome.payload).toString()) : outcome.why;
};

describe('the telemetry rule', () => {
  it('puts what the cloud knows into an envelope that ingest takes', () => {
    expect(envelopeOf(published('dt/acme/probe-1/telemetry'))).toEqual({
      v: 1,
      source: 'telemetry',
      data: 'e30=',
      topic: 'dt/acme/probe-1/telemetry',
      principal: PRINCIPAL,
      clientId: 'probe-1',
      sourceIp: '203.0.113.7',
      receivedAtMs: RECEIVED_AT_MS,
      traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d20',
      messageId: '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1',
    });
  });

  it.each([
    { what: 'nothing', bytes: [] },
    { what: 'what is no JSON', bytes: [0x7b, 0x22] },
    { what: 'what is no text', bytes: [0xa1, 0x61, 0x74, 0xff, 0x00, 0xfe] },
    {
      what: 'JSON with members of the same names',
      bytes: [...Buffer.from('{"source":"x","data":1}')],
    },
  ])('carries $what, byte for byte', ({ bytes }) => {
    const envelope = envelopeOf(published('dt/acme/probe-1/telemetry', Uint8Array.from(bytes)));
    expect(envelope).toMatchObject({ source: 'telemetry' });
    expect([...payloadOf(envelope as { data: string })]).toEqual(bytes);
  });

  it.each(['cmd/acme/probe-1/reboot', 'report/acme/probe-1', 'dt'])('leaves %s alone', (topic) => {
    expect(rule.evaluate(published(topic), world).matched).toBe(false);
  });
});

const SHARDS = 16n;
const HASH_KEYS = 1n << 128n;

/** Kinesis takes the MD5 of a partition key as a number, and each shard an equal range of them. */
const shardOf = (topic: string): number => {
  const key = partitionKey.evaluate(published(topic), world);
  const hash = BigInt(`0x${createHash('md5').update(key).digest('hex')}`);
  return Number((hash * SHARDS) / HASH_KEYS);
};

describe('the partition key of uplinks', () => {
  it('spreads one fleet of 10,000 over 16 shards within 20 %', () => {
    const counts = new Array<number>(16).fill(0);
    for (let device = 0; device < 10_000; device += 1) {
      const shard = shardOf(`dt/acme/probe-${device}/telemetry`);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    const even = 10_000 / 16;
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(even * 0.8);
    expect(Math.max(...counts)).toBeLessThanOrEqual(even * 1.2);
  });

  it('keeps one thing on one shard, whatever it sends', () => {
    expect(partitionKey.evaluate(published('dt/acme/probe-1/status'), world)).toBe('probe-1');
    expect(shardOf('dt/acme/probe-1/telemetry')).toBe(shardOf('dt/acme/probe-1/status'));
  });
});
