import { Buffer } from 'node:buffer';
import { compileFilterCriteria, SQS_FILTERS } from '../../core/events/filter-criteria.ts';
import type { Need } from '../../operations/operation.ts';
import type { Message, QueueStore } from '../../stores/queue-store.ts';
import { backoffMs, type Mapping, type MappingDeps, type MappingState } from './deps.ts';
import { missingGrant } from './grants.ts';
import { EVENT_LIMIT_BYTES } from './kinesis-event.ts';
import { runQueueBatch } from './queue-batch.ts';
import { createSignal } from './signal.ts';
import type { QueueMappingSpec } from './specs.ts';

export interface QueueMappingDeps extends MappingDeps {
  readonly queues: Pick<QueueStore, 'attributes' | 'receive' | 'delete' | 'changeVisibility'>;
  /** ARN of the KMS key the queue is encrypted with. */
  readonly keyArn?: string;
}

const RECEIVE_LIMIT = 10;
const LONG_POLL_SECONDS = 20;
/** What Lambda begins with where the mapping sets no maximum. */
const POLLERS = 5;

/**
 * Feeds a function from a standard SQS queue as Lambda does: batches by size and window, several at a
 * time, messages deleted once the function has dealt with them and left to their visibility timeout
 * otherwise. It reads with the function's role.
 *
 * @throws {PatternError} filters that cannot be compiled
 * @see Lambda Developer Guide, "Using Lambda with Amazon SQS"
 */
export function createQueueMapping(spec: QueueMappingSpec, deps: QueueMappingDeps): Mapping {
  const { queues, log } = deps;
  const { queueName, batchSize } = spec;
  const passes = compileFilterCriteria(spec.filters, SQS_FILTERS);
  const concurrency = spec.maximumConcurrency ?? POLLERS;
  let state: MappingState = { status: spec.enabled ? 'stopped' : 'disabled' };
  let stop = new AbortController();
  let ended: Promise<unknown> = Promise.resolve();
  let inHand: Message[] = [];
  const quietWaiters: (() => void)[] = [];
  const running = new Set<Promise<void>>();
  const signal = createSignal();

  const isQuiet = (): boolean => {
    if (state.status !== 'running') return true;
    const isEmpty = queues.attributes(queueName)['ApproximateNumberOfMessages'] === '0';
    return isEmpty && inHand.length === 0 && running.size === 0;
  };

  const onQuiet = (): void => {
    if (quietWaiters.length === 0 || !isQuiet()) return;
    for (const resolve of quietWaiters.splice(0)) resolve();
  };

  /** Takes messages in hand, without those the filters drop; waits for them no longer than `waitSeconds`. */
  const receive = async (waitSeconds: number): Promise<void> => {
    const max = Math.min(RECEIVE_LIMIT, batchSize - inHand.length);
    const received = queues.receive(queueName, { max, waitSeconds });
    const messages = await unlessStopped(received, stop.signal);
    if (messages === 'stopped') {
      void received.then(release);
      return;
    }
    for (const message of messages) {
      if (passes({ content: message.body, metadata: metadataOf(message) })) inHand.push(message);
      else queues.delete(queueName, message.receiptHandle);
    }
    onQuiet();
  };

  const release = (messages: readonly Message[]): void => {
    for (const { receiptHandle } of messages) queues.changeVisibility(queueName, receiptHandle, 0);
  };

  const gather = async (): Promise<void> => {
    if (inHand.length === 0) await receive(LONG_POLL_SECONDS);
    const endsAtMs = deps.now() + spec.windowSeconds * 1000;
    while (inHand.length > 0 && inHand.length < batchSize && !stop.signal.aborted) {
      const leftSeconds = (endsAtMs - deps.now()) / 1000;
      if (leftSeconds <= 0 || bytesOf(inHand) >= EVENT_LIMIT_BYTES) return;
      await receive(Math.min(leftSeconds, LONG_POLL_SECONDS));
    }
  };

  const launch = (): void => {
    const count = fitting(inHand);
    const batch = inHand.slice(0, count);
    inHand = inHand.slice(count);
    const work = runQueueBatch(batch, { ...deps, spec }).then(async (ran) => {
      if (!ran) await deps.sleep(backoffMs(0, deps.random()), stop.signal);
    });
    running.add(work);
    void work.finally(() => {
      running.delete(work);
      signal.notify();
      onQuiet();
    });
  };

  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      if (running.size >= concurrency) await signal.wait();
      else {
        await gather();
        if (inHand.length > 0 && !stop.signal.aborted) launch();
      }
    }
    release(inHand.splice(0));
    await Promise.all(running);
  };

  const workOn = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; failures++) {
      try {
        await work();
      } catch (error) {
        const message = `could not read ${queueName}: ${String(error)}`;
        log({ level: 'error', source: 'event-source', message });
        await deps.sleep(backoffMs(failures, deps.random()), stop.signal);
      }
    }
  };

  return {
    start() {
      if (state.status !== 'stopped') return;
      const problem =
        shortVisibility(spec, queues) ??
        missingGrant(spec, needsOf(spec, deps.keyArn), deps.authorize);
      if (problem !== undefined) {
        state = { status: 'failed', problem };
        log({ level: 'error', source: 'event-source', message: problem, mapping: spec.id });
        return;
      }
      state = { status: 'running' };
      stop = new AbortController();
      stop.signal.addEventListener('abort', signal.notify);
      ended = workOn();
    },

    async stop() {
      if (state.status !== 'running') return;
      stop.abort();
      await ended;
      state = { status: 'stopped' };
      for (const resolve of quietWaiters.splice(0)) resolve();
    },

    async idle() {
      if (!isQuiet()) await new Promise<void>((resolve) => quietWaiters.push(resolve));
    },

    state: () => state,
  };
}

/** The promise's value, or `stopped` where the signal comes first. */
async function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | 'stopped'> {
  const { promise: stopped, resolve } = Promise.withResolvers<'stopped'>();
  const onAbort = () => resolve('stopped');
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const bytesOf = (messages: readonly Message[]): number =>
  messages.reduce((sum, message) => sum + messageBytes(message), 0);

/** Bytes a message adds to an event's JSON, at most: every character of the body may need escaping. */
const messageBytes = ({ body, attributes, systemAttributes }: Message): number =>
  Buffer.byteLength(JSON.stringify([body, attributes, systemAttributes])) + 1024;

/** How many of the first messages one event takes, at least one. */
function fitting(messages: readonly Message[]): number {
  let bytes = 0;
  const tooMany = messages.findIndex((message, index) => {
    bytes += messageBytes(message);
    return index > 0 && bytes > EVENT_LIMIT_BYTES;
  });
  return tooMany < 0 ? messages.length : tooMany;
}

const metadataOf = ({ messageId, systemAttributes, attributes }: Message) => ({
  messageId,
  attributes: systemAttributes,
  messageAttributes: attributes,
});

/** Lambda refuses a mapping whose messages would show up again while the function still has them. */
function shortVisibility(
  { queueName, functionName, functionTimeoutSeconds }: QueueMappingSpec,
  queues: Pick<QueueStore, 'attributes'>,
): string | undefined {
  const seconds = Number(queues.attributes(queueName)['VisibilityTimeout']);
  if (seconds >= functionTimeoutSeconds) return undefined;
  return `${functionName} cannot be fed from ${queueName}: the queue's visibility timeout of ${seconds} seconds is less than the function's timeout of ${functionTimeoutSeconds} seconds`;
}

function needsOf(spec: QueueMappingSpec, keyArn: string | undefined): readonly (readonly Need[])[] {
  const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  return [
    ...actions.map((action) => [{ action, resource: spec.sourceArn }]),
    ...(keyArn === undefined ? [] : [[{ action: 'kms:Decrypt', resource: keyArn }]]),
  ];
}
