import { Buffer } from 'node:buffer';
import * as z from 'zod';
import type { LogEntry } from '../../../../local/core/log.ts';
import {
  createStreamMapping,
  type StreamMappingDeps,
  type StreamMappingSpec,
} from '../../../../local/runtime/event-source-mapping.ts';
import type { InvokeResult } from '../../../../local/runtime/lambda.ts';
import { createStreamStore } from '../../../../local/stores/stream-store.ts';
import { virtualClock } from '../virtual-clock.ts';

export const STREAM_ARN = 'arn:aws:kinesis:eu-central-1:000000000000:stream/uplinks';
export const FUNCTION_ARN = 'arn:aws:lambda:eu-central-1:000000000000:function:ingest';
export const ROLE_ARN = 'arn:aws:iam::000000000000:role/ingest';
export const QUEUE_ARN = 'arn:aws:sqs:eu-central-1:000000000000:failures';

const Event = z.object({
  Records: z.array(
    z.object({
      kinesis: z.object({ partitionKey: z.string(), sequenceNumber: z.string(), data: z.string() }),
    }),
  ),
});

/** A record as the function under test sees it. */
export interface Seen {
  readonly key: string;
  readonly data: string;
  readonly sequenceNumber: string;
}

/** Answers one batch: what it returns is the response, what it throws a function error. */
export type Behaviour = (batch: readonly Seen[], raw: unknown) => unknown;

export const failures = (...records: readonly (Seen | undefined)[]) => ({
  batchItemFailures: records.map((record) => ({ itemIdentifier: record?.sequenceNumber })),
});

interface Setup {
  readonly spec?: Partial<StreamMappingSpec>;
  readonly deps?: Partial<StreamMappingDeps>;
  readonly shardCount?: number;
  readonly keyArn?: string;
}

/** A stream, a virtual clock, and a mapping to a function that behaves as it is told. */
export async function streamWorld(
  behave: Behaviour,
  { spec, deps, shardCount = 1, keyArn }: Setup = {},
) {
  const clock = virtualClock();
  const streams = createStreamStore({ now: clock.now });
  await streams.create({
    name: 'uplinks',
    arn: STREAM_ARN,
    shardCount,
    retentionHours: 24,
    ...(keyArn !== undefined && { keyArn }),
  });
  const batches: string[][] = [];
  const reports: { arn: string; record: unknown; atMs: number }[] = [];
  const log: LogEntry[] = [];
  let requests = 0;

  const invoke = async (_name: string, event: unknown): Promise<InvokeResult> => {
    const seen = Event.parse(event).Records.map(({ kinesis }) => ({
      key: kinesis.partitionKey,
      data: Buffer.from(kinesis.data, 'base64').toString(),
      sequenceNumber: kinesis.sequenceNumber,
    }));
    batches.push(seen.map(({ data }) => data));
    const requestId = `request-${++requests}`;
    try {
      return { ok: true, payload: (await behave(seen, event)) ?? null, requestId };
    } catch (error) {
      if (error instanceof Error && error.message === 'throttled') throw error;
      const payload = { errorType: 'Error', errorMessage: String(error) };
      return { ok: false, functionError: 'Unhandled', payload, requestId };
    }
  };

  const mappingOf = (changes: Partial<StreamMappingDeps> = {}) =>
    createStreamMapping(
      {
        kind: 'stream',
        id: 'mapping-1',
        enabled: true,
        functionName: 'ingest',
        functionArn: FUNCTION_ARN,
        roleArn: ROLE_ARN,
        sourceArn: STREAM_ARN,
        streamName: 'uplinks',
        batchSize: 100,
        windowSeconds: 0,
        reportsItemFailures: false,
        filters: [],
        startingPosition: 'TRIM_HORIZON',
        parallelizationFactor: 1,
        bisectsOnError: false,
        maximumRetryAttempts: -1,
        maximumRecordAgeSeconds: -1,
        ...spec,
      },
      {
        streams,
        invoke,
        sendFailure: async (arn, record) => void reports.push({ arn, record, atMs: clock.now() }),
        authorize: () => ({ allowed: true, explanation: '' }),
        now: clock.now,
        sleep: clock.sleep,
        random: () => 1,
        uuid: () => 'uuid',
        log: (entry) => log.push(entry),
        ...deps,
        ...changes,
      },
    );
  const mapping = mappingOf();

  const put = async (...data: readonly string[]) => {
    const results = await streams.put(
      'uplinks',
      data.map((text) => ({ data: Buffer.from(text), partitionKey: text.split(':')[0] ?? text })),
    );
    return results.map((result) => ('sequenceNumber' in result ? result.sequenceNumber : ''));
  };

  const idle = () => clock.run(mapping.idle());
  const checkpoint = (shard = 'shardId-000000000000') => streams.checkpoint('mapping-1', shard);
  return {
    clock,
    streams,
    invoke,
    mapping,
    mappingOf,
    batches,
    reports,
    log,
    put,
    idle,
    checkpoint,
  };
}
