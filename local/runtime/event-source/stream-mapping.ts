import { compileFilterCriteria, KINESIS_FILTERS } from '../../core/events/filter-criteria.ts';
import type { Need } from '../../operations/operation.ts';
import { destinationNeed } from '../lambda-authorize.ts';
import type { Mapping, MappingState } from './deps.ts';
import { missingGrant } from './grants.ts';
import { pollShard, type ShardPoller, type StreamSource } from './shard-poller.ts';
import type { StreamMappingSpec } from './specs.ts';
import type { BatchDeps } from './stream-batch.ts';

export interface StreamMappingDeps extends BatchDeps {
  readonly streams: StreamSource;
}

/**
 * Feeds a function from a Kinesis stream as Lambda does: one batch at a time per shard and lane, order
 * kept per partition key, retries, bisection, ages, partial failures, filters before the function. It
 * reads with the function's role, wakes when records arrive, and never polls an empty stream.
 *
 * @throws {PatternError} filters that cannot be compiled
 * @see Lambda Developer Guide, "Using Lambda to process records from Amazon Kinesis Data Streams"
 */
export function createStreamMapping(spec: StreamMappingSpec, deps: StreamMappingDeps): Mapping {
  const { streams, log } = deps;
  const passes = compileFilterCriteria(spec.filters, KINESIS_FILTERS);
  let state: MappingState = { status: spec.enabled ? 'stopped' : 'disabled' };
  let stop = new AbortController();
  let pollers = new Map<string, ShardPoller>();
  let stopListening = () => {};
  const quietWaiters: (() => void)[] = [];

  const isQuiet = (): boolean => [...pollers.values()].every((poller) => poller.isIdle());

  const onQuiet = (): void => {
    if (!isQuiet()) return;
    for (const resolve of quietWaiters.splice(0)) resolve();
  };

  const begin = (): void => {
    const { retentionHours } = streams.describe(spec.streamName);
    const { signal } = stop;
    const maximumAgeMs = ageLimitMs(spec.maximumRecordAgeSeconds, retentionHours);
    for (const shardId of streams.shards(spec.streamName)) {
      const poller = pollShard({
        ...deps,
        spec,
        shardId,
        passes,
        maximumAgeMs,
        stop: signal,
        onQuiet,
      });
      pollers.set(shardId, poller);
    }
    stopListening = streams.onAppend((streamName, shardId) => {
      if (streamName === spec.streamName) pollers.get(shardId)?.wake();
    });
  };

  return {
    start() {
      if (state.status !== 'stopped') return;
      const { keyArn } = streams.describe(spec.streamName);
      const problem = missingGrant(spec, needsOf(spec, keyArn), deps.authorize);
      if (problem !== undefined) {
        state = { status: 'failed', problem };
        log({ level: 'error', source: 'event-source', message: problem, mapping: spec.id });
        return;
      }
      state = { status: 'running' };
      stop = new AbortController();
      begin();
    },

    async stop() {
      if (state.status !== 'running') return;
      stopListening();
      stop.abort();
      await Promise.all([...pollers.values()].map((poller) => poller.ended));
      pollers = new Map();
      state = { status: 'stopped' };
      for (const resolve of quietWaiters.splice(0)) resolve();
    },

    async idle() {
      if (!isQuiet()) await new Promise<void>((resolve) => quietWaiters.push(resolve));
      await Promise.all([...pollers.values()].map((poller) => poller.saved()));
    },

    state: () => state,
  };
}

/** Records older than the stream keeps them are gone, whatever the mapping would allow. */
const ageLimitMs = (maximumRecordAgeSeconds: number, retentionHours: number): number => {
  const retentionMs = retentionHours * 3_600_000;
  return maximumRecordAgeSeconds < 0
    ? retentionMs
    : Math.min(maximumRecordAgeSeconds * 1000, retentionMs);
};

/** Of each line the role must grant one. */
function needsOf(
  spec: StreamMappingSpec,
  keyArn: string | undefined,
): readonly (readonly Need[])[] {
  const on = (action: string): Need => ({ action, resource: spec.sourceArn });
  return [
    [on('kinesis:DescribeStream'), on('kinesis:DescribeStreamSummary')],
    [on('kinesis:GetShardIterator')],
    [on('kinesis:GetRecords')],
    ...(keyArn === undefined ? [] : [[{ action: 'kms:Decrypt', resource: keyArn }]]),
    ...(spec.onFailureArn === undefined ? [] : [[destinationNeed(spec.onFailureArn)]]),
  ];
}
