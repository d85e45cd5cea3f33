import type { AwsError } from '../../operations/operation.ts';
import type { EventLog } from '../event-log.ts';
import type { Timer } from '../timer.ts';
import { type QueueSettings, queueSettings, shownAttributes } from './attributes.ts';
import { sqsError } from './error.ts';
import { parseReceiptHandle, receiptHandle } from './receipt.ts';
import {
  createQueueState,
  type MessageAttribute,
  type QueueEvent,
  type QueueProperties,
  type StoredMessage,
} from './state.ts';

export interface ReceiveOptions {
  readonly max: number;
  readonly visibilityTimeout?: number;
  readonly waitSeconds?: number;
}

/** A message in the hands of a consumer; the receipt handle stands for this one receipt of it. */
export interface Message {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  /** Values as text, as in `Message.Attributes` of the API. */
  readonly systemAttributes: Readonly<Record<string, string>>;
}

/** One standard queue. */
export interface Queue {
  isConfigured(): boolean;
  properties(): QueueProperties;
  settings(): QueueSettings;
  configure(queue: QueueProperties): void;
  attributes(): Record<string, string>;
  put(message: StoredMessage): void;
  receive(options: ReceiveOptions): Promise<Message[]>;
  delete(handle: string): void;
  changeVisibility(handle: string, seconds: number): void;
  purge(): void;
  close(): void;
}

interface Waiter {
  readonly options: ReceiveOptions;
  readonly resolve: (messages: Message[]) => void;
  readonly cancelTimeout: () => void;
}

interface Deps {
  readonly now: () => number;
  readonly timer: Timer;
  /** What happened to the queue so far; the first event configures it. */
  readonly history: readonly QueueEvent[];
  readonly log?: EventLog<QueueEvent>;
  readonly findByArn: (arn: string) => Queue | undefined;
  readonly onPut: (queueName: string) => void;
}

const MAX_IN_FLIGHT = 120_000;
const PURGE_PAUSE_MS = 60_000;
/** Events beyond two a message, before the log is written anew. */
const SLACK_EVENTS = 1000;

export function createQueue({ now, timer, history, log, findByArn, onPut }: Deps): Queue {
  const state = createQueueState();
  const waiters = new Set<Waiter>();
  let eventCount = history.length;
  let cancelAlarm = () => {};
  let purgedAtMs = Number.NEGATIVE_INFINITY;

  for (const event of history) state.apply(event);
  let settings = queueSettings(state.queue()?.attributes ?? {});

  const properties = (): QueueProperties => {
    const found = state.queue();
    if (found === undefined) throw new Error('a queue has to be configured before it is used');
    return found;
  };

  const record = (event: QueueEvent): void => {
    log?.append(event);
    state.apply(event);
    eventCount++;
    if (log !== undefined && eventCount > SLACK_EVENTS + 2 * state.size()) {
      const snapshot = state.snapshot();
      log.rewrite(snapshot);
      eventCount = snapshot.length;
    }
  };

  const isHidden = (message: StoredMessage): boolean => message.visibleAtMs > now();
  const isInFlight = (message: StoredMessage): boolean => message.received && isHidden(message);
  const isExpired = (message: StoredMessage): boolean =>
    message.sentAtMs + settings.retentionSeconds * 1000 <= now();

  const deadLettersFor = (message: StoredMessage): Queue | undefined => {
    const { redrive } = settings;
    const exhausted = redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount;
    return exhausted ? findByArn(redrive.targetArn) : undefined;
  };

  const moveTo = (deadLetters: Queue, message: StoredMessage): void => {
    const { arn } = properties();
    // into the new queue first: a crash between the two repeats the message rather than losing it
    deadLetters.put({ ...message, visibleAtMs: now(), received: false, sourceArn: arn });
    record({ type: 'gone', id: message.id });
  };

  /** Next message a consumer may have; what has expired or is to be redriven leaves on the way. */
  const nextVisible = (except: ReadonlySet<string>): StoredMessage | undefined => {
    for (;;) {
      const message = state.next();
      if (message === undefined || isHidden(message) || except.has(message.id)) return undefined;
      const deadLetters = deadLettersFor(message);
      if (isExpired(message)) record({ type: 'gone', id: message.id });
      else if (deadLetters !== undefined) moveTo(deadLetters, message);
      else return message;
    }
  };

  const take = ({ max, visibilityTimeout }: ReceiveOptions): Message[] => {
    const atMs = now();
    const visibleAtMs = atMs + (visibilityTimeout ?? settings.visibilityTimeoutSeconds) * 1000;
    const ids = new Set<string>();
    while (ids.size < max) {
      const message = nextVisible(ids);
      if (message === undefined) break;
      record({ type: 'received', id: message.id, atMs, visibleAtMs });
      ids.add(message.id);
    }
    return [...ids].flatMap((id) => {
      const message = state.get(id);
      return message === undefined ? [] : [toMessage(message, properties().name)];
    });
  };

  const settle = (waiter: Waiter, messages: Message[]): void => {
    waiter.cancelTimeout();
    waiters.delete(waiter);
    waiter.resolve(messages);
  };

  /** Serves those who wait, and sets the alarm for the message that becomes visible next. */
  const wake = (): void => {
    for (const waiter of waiters) {
      const messages = take(waiter.options);
      if (messages.length === 0) break;
      settle(waiter, messages);
    }
    cancelAlarm();
    const next = waiters.size === 0 ? undefined : state.next();
    if (next !== undefined) cancelAlarm = timer(Math.max(next.visibleAtMs - now(), 1), wake);
  };

  const waitFor = (options: ReceiveOptions, waitSeconds: number): Promise<Message[]> =>
    new Promise((resolve) => {
      const waiter: Waiter = {
        options,
        resolve,
        cancelTimeout: timer(waitSeconds * 1000, () => settle(waiter, [])),
      };
      waiters.add(waiter);
      wake();
    });

  return {
    isConfigured: () => state.queue() !== undefined,
    properties,
    settings: () => settings,

    configure(queue) {
      settings = queueSettings(queue.attributes);
      record({ type: 'configured', queue });
      wake();
    },

    attributes() {
      for (const message of [...state.messages()]) {
        if (isExpired(message)) record({ type: 'gone', id: message.id });
      }
      const hidden = [...state.messages()].filter(isHidden).length;
      const inFlight = [...state.messages()].filter(isInFlight).length;
      const { arn, attributes, createdAtMs, modifiedAtMs } = properties();
      return {
        ...shownAttributes(attributes),
        QueueArn: arn,
        CreatedTimestamp: secondsOf(createdAtMs),
        LastModifiedTimestamp: secondsOf(modifiedAtMs),
        ApproximateNumberOfMessages: String(state.size() - hidden),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(hidden - inFlight),
      };
    },

    put(message) {
      record({ type: 'sent', message });
      wake();
      onPut(properties().name);
    },

    async receive(options) {
      checkInFlight(state.size() < MAX_IN_FLIGHT ? [] : [...state.messages()], isInFlight);
      const waitSeconds = options.waitSeconds ?? settings.receiveWaitSeconds;
      const ready = take(options);
      if (ready.length > 0 || waitSeconds === 0) return ready;
      return await waitFor(options, waitSeconds);
    },

    delete(handle) {
      const receipt = parseReceiptHandle(handle, properties().name);
      // the handle of an earlier receipt leaves the message with whoever has it now
      if (state.get(receipt.id)?.receiveCount !== receipt.receiveCount) return;
      record({ type: 'gone', id: receipt.id });
    },

    changeVisibility(handle, seconds) {
      const receipt = parseReceiptHandle(handle, properties().name);
      const message = state.get(receipt.id);
      if (message?.receiveCount !== receipt.receiveCount) throw noSuchReceipt(handle);
      if (!isInFlight(message)) {
        throw sqsError('MessageNotInflight', `Message ${receipt.id} is not in flight.`);
      }
      record({ type: 'hidden', id: receipt.id, visibleAtMs: now() + seconds * 1000 });
      wake();
    },

    purge() {
      if (now() - purgedAtMs < PURGE_PAUSE_MS) {
        throw sqsError(
          'PurgeQueueInProgress',
          `Only one PurgeQueue operation on ${properties().name} is allowed every 60 seconds.`,
          403,
        );
      }
      purgedAtMs = now();
      record({ type: 'purged' });
    },

    close() {
      cancelAlarm();
      for (const waiter of waiters) settle(waiter, []);
      log?.close();
    },
  };
}

const secondsOf = (ms: number): string => String(Math.floor(ms / 1000));

function toMessage(stored: StoredMessage, queueName: string): Message {
  const { id, body, attributes, traceHeader, sourceArn } = stored;
  return {
    messageId: id,
    receiptHandle: receiptHandle(queueName, stored),
    body,
    attributes,
    systemAttributes: {
      SenderId: stored.senderId,
      SentTimestamp: String(stored.sentAtMs),
      ApproximateReceiveCount: String(stored.receiveCount),
      ApproximateFirstReceiveTimestamp: String(stored.firstReceivedAtMs ?? stored.sentAtMs),
      ...(traceHeader !== undefined && { AWSTraceHeader: traceHeader }),
      ...(sourceArn !== undefined && { DeadLetterQueueSourceArn: sourceArn }),
    },
  };
}

function checkInFlight(
  messages: readonly StoredMessage[],
  isInFlight: (message: StoredMessage) => boolean,
): void {
  if (messages.filter(isInFlight).length < MAX_IN_FLIGHT) return;
  throw sqsError('OverLimit', `More than ${MAX_IN_FLIGHT} messages would be in flight.`, 403);
}

const noSuchReceipt = (handle: string): AwsError =>
  sqsError(
    'InvalidParameterValue',
    `Value ${handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
  );
