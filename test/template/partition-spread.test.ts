import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { packageService, resourcesOf } from '../support/template.ts';

const SHARDS = 16n;
const HASH_KEYS = 1n << 128n;

/** Kinesis takes the MD5 of a partition key as a number, and each shard an equal range of them. */
const shardOf = (partitionKey: string): number =>
  Number(
    (BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`) * SHARDS) / HASH_KEYS,
  );

/** The level of a topic that the telemetry rule's partition key names. */
const partitionKeyLevel = (): number => {
  const [[, rule] = []] = resourcesOf(packageService().template, 'AWS::IoT::TopicRule');
  const [, level] = /"PartitionKey":"\$\{topic\((\d)\)\}"/.exec(JSON.stringify(rule)) ?? [];
  return Number(level);
};

const partitionKeyOf = (topic: string): string => topic.split('/')[partitionKeyLevel() - 1] ?? '';

describe('the partition key of uplinks', () => {
  it('spreads one fleet of 10,000 over 16 shards within 20 %', () => {
    const level = partitionKeyLevel();
    const counts = new Array<number>(16).fill(0);
    for (let device = 0; device < 10_000; device += 1) {
      const topic = `dt/acme/probe-${device}/telemetry`.split('/');
      const shard = shardOf(topic[level - 1] ?? '');
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    const even = 10_000 / 16;
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(even * 0.8);
    expect(Math.max(...counts)).toBeLessThanOrEqual(even * 1.2);
  });

  it('keeps one thing on one shard, whatever it sends', () => {
    const topics = ['dt/acme/probe-1/telemetry', 'dt/acme/probe-1/status'];
    expect(new Set(topics.map(partitionKeyOf)).size).toBe(1);
  });
});
