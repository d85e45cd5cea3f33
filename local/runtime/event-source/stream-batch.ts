import type { StreamRecord } from '../../stores/stream-model.ts';
import type { InvokeResult } from '../lambda.ts';
import { type BatchVerdict, readBatchResponse } from './batch-response.ts';
import { backoffMs, type MappingDeps } from './deps.ts';
import { failureRecord, type GiveUpCondition } from './failure-record.ts';
import { kinesisEventRecord } from './kinesis-event.ts';
import type { StreamMappingSpec } from './specs.ts';

export interface BatchDeps extends MappingDeps {
  readonly uuid: () => string;
  /** Puts a record about failed records on the queue or topic of that ARN. */
  readonly sendFailure: (destinationArn: string, record: object) => Promise<void>;
}

interface BatchWorld extends BatchDeps {
  readonly spec: StreamMappingSpec;
  /** How old a record gets before it is given up. */
  readonly maximumAgeMs: number;
  /** Records that need no more work, in the order of the shard. */
  readonly done: (records: readonly StreamRecord[]) => void;
  readonly stop: AbortSignal;
}

interface Batch {
  readonly records: readonly StreamRecord[];
  /** Retries used, and invocations altogether. */
  readonly retries: number;
  readonly invocations: number;
  /** Tries in a row that did not reach the function. */
  readonly refusals: number;
  readonly result?: InvokeResult;
}

/**
 * Makes the function that sees one batch through: invokes, retries, bisects, gives up. It resolves
 * when every record is done with, or when `stop` is aborted, and then leaves the rest undone.
 *
 * Where a batch fails at its first item and bisection is on, it is halved like one that threw: the
 * documentation only says that it is cut at the item returned.
 *
 * @see Lambda Developer Guide, "Configuring partial batch response with Kinesis Data Streams and Lambda"
 */
export function createBatchRunner(world: BatchWorld) {
  const { spec, stop } = world;

  return async (records: readonly StreamRecord[]): Promise<void> => {
    let todo: readonly Batch[] = [{ records, retries: 0, invocations: 0, refusals: 0 }];
    for (;;) {
      const [next, ...others] = todo;
      if (!next || stop.aborted) return;
      todo = [...(await step(next)), ...others];
    }
  };

  /** @returns what is left to do, first things first */
  async function step(batch: Batch): Promise<readonly Batch[]> {
    const { expired, fresh } = splitByAge(batch.records, world.now() - world.maximumAgeMs);
    if (expired.length > 0) {
      const isGone = await giveUp({ ...batch, records: expired }, 'RecordAgeExceeded');
      return isGone && fresh.length > 0 ? [{ ...batch, records: fresh }] : [];
    }
    const result = await invoke(batch);
    if (!result) {
      await world.sleep(backoffMs(batch.refusals, world.random()), stop);
      return [{ ...batch, refusals: batch.refusals + 1 }];
    }
    const tried = { ...batch, invocations: batch.invocations + 1, refusals: 0, result };
    const failedAt = firstFailure(verdictOf(result, batch.records), batch.records);
    if (failedAt > 0) world.done(batch.records.slice(0, failedAt));
    const rest = { ...tried, records: batch.records.slice(failedAt) };
    return rest.records.length === 0 ? [] : await tryAgain(rest, failedAt > 0);
  }

  async function tryAgain(batch: Batch, wasCut: boolean): Promise<readonly Batch[]> {
    if (spec.bisectsOnError && wasCut) return [batch];
    if (spec.bisectsOnError && batch.records.length > 1) return halves(batch);
    const { maximumRetryAttempts: most } = spec;
    if (most >= 0 && batch.retries >= most) {
      await giveUp(batch, 'RetryAttemptsExhausted');
      return [];
    }
    await world.sleep(backoffMs(batch.retries, world.random()), stop);
    return [{ ...batch, retries: batch.retries + 1 }];
  }

  async function invoke({ records }: Batch): Promise<InvokeResult | undefined> {
    const event = { Records: records.map((record) => kinesisEventRecord(record, spec)) };
    try {
      return await world.invoke(spec.functionName, event);
    } catch (error) {
      say('warn', records, `could not be given to ${spec.functionName}: ${String(error)}`);
      return undefined;
    }
  }

  function verdictOf(result: InvokeResult, records: readonly StreamRecord[]): BatchVerdict {
    if (!result.ok) return { kind: 'failure' };
    if (!spec.reportsItemFailures) return { kind: 'success' };
    return readBatchResponse(result.payload, new Set(records.map((one) => one.sequenceNumber)));
  }

  /** @returns false when the mapping was stopped before the destination could be told */
  async function giveUp(batch: Batch, condition: GiveUpCondition): Promise<boolean> {
    const [first, ...others] = batch.records;
    if (!first) return true;
    say('warn', batch.records, `given up: ${condition} after ${batch.invocations} invocations`);
    const isTold = await tell({
      ...batch,
      records: [first, ...others],
      condition,
      atMs: world.now(),
    });
    if (isTold) world.done(batch.records);
    return isTold;
  }

  /** Tries until it succeeds: records are not passed over before their destination knows of them. */
  async function tell(given: Parameters<typeof failureRecord>[0]): Promise<boolean> {
    const { onFailureArn } = spec;
    if (onFailureArn === undefined) return true;
    const record = failureRecord(given, spec, world.uuid);
    for (let failures = 0; !stop.aborted; failures++) {
      try {
        await world.sendFailure(onFailureArn, record);
        return true;
      } catch (error) {
        say('error', given.records, `${onFailureArn} could not be told: ${String(error)}`);
        await world.sleep(backoffMs(failures, world.random()), stop);
      }
    }
    return false;
  }

  function say(level: 'warn' | 'error', records: readonly StreamRecord[], what: string): void {
    const [first] = records;
    world.log({
      level,
      source: 'event-source',
      message: `${records.length} records of ${spec.streamName} ${what}`,
      function: spec.functionName,
      shardId: first?.shardId,
      from: first?.sequenceNumber,
      to: records.at(-1)?.sequenceNumber,
    });
  }
}

/** The two halves of a batch, to be tried in order; splitting uses no retry. */
function halves(batch: Batch): readonly Batch[] {
  const middle = Math.ceil(batch.records.length / 2);
  return [
    { ...batch, records: batch.records.slice(0, middle) },
    { ...batch, records: batch.records.slice(middle) },
  ];
}

/** Where the batch is to be taken up again: the lowest failed record, or behind the last. */
function firstFailure(verdict: BatchVerdict, records: readonly StreamRecord[]): number {
  if (verdict.kind === 'success') return records.length;
  if (verdict.kind === 'failure') return 0;
  return records.findIndex(({ sequenceNumber }) => verdict.failed.has(sequenceNumber));
}

function splitByAge(records: readonly StreamRecord[], oldestMs: number) {
  const fresh = records.findIndex(({ arrivedAtMs }) => arrivedAtMs >= oldestMs);
  const at = fresh < 0 ? records.length : fresh;
  return { expired: records.slice(0, at), fresh: records.slice(at) };
}
