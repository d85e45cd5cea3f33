import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openEventLog } from './event-log.ts';
import { queueSettings } from './queue/attributes.ts';
import { sqsError } from './queue/error.ts';
import { checkMessage } from './queue/message.ts';
import { createQueue, type Message, type Queue, type ReceiveOptions } from './queue/queue.ts';
import { type MessageAttribute, QueueEvent, type QueueProperties } from './queue/state.ts';
import { systemTimer, type Timer } from './timer.ts';

export { queueAttributesOf } from './queue/attributes.ts';
export type { Message, ReceiveOptions } from './queue/queue.ts';
export type { MessageAttribute, QueueProperties } from './queue/state.ts';

export interface QueueSpec {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** SQS attribute names, values as text: `{ VisibilityTimeout: '60' }`. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface OutgoingMessage {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
  readonly delaySeconds?: number;
  readonly senderId?: string;
  /** `AWSTraceHeader`, the one system attribute a sender may set. */
  readonly traceHeader?: string;
}

/** Standard queues: at least once, no promised order. Errors are `AwsError` with the codes of SQS's JSON protocol. */
export interface QueueStore {
  /** Makes the queue, or gives one that exists these attributes and URL; its messages stay. */
  create(spec: QueueSpec): void;
  list(): QueueProperties[];
  describe(name: string): QueueProperties;
  /** Settings and the approximate counts, as text. */
  attributes(name: string): Record<string, string>;
  setAttributes(name: string, attributes: Readonly<Record<string, string>>): void;
  send(name: string, message: OutgoingMessage): { readonly messageId: string };
  /** Resolves with up to `max` messages, or with none once `waitSeconds` have passed. */
  receive(name: string, options: ReceiveOptions): Promise<Message[]>;
  delete(name: string, receiptHandle: string): void;
  changeVisibility(name: string, receiptHandle: string, seconds: number): void;
  purge(name: string): void;
  /** Tells of each queue that got a message, also from a redrive; returns how to stop. */
  onSend(listener: (queueName: string) => void): () => void;
  /** Ends all waiting, empty-handed. */
  close(): Promise<void>;
}

interface Options {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
  /** Where queues outlive the process; without it they live in memory. */
  readonly directory?: string;
  /** Wakes those who wait for messages. */
  readonly timer?: Timer;
}

const NAME = /^[A-Za-z0-9_-]{1,80}$/;
const LOG_SUFFIX = '.queue.jsonl';

export function createQueueStore(options: Options): QueueStore {
  const { now, uuid, directory, timer = systemTimer } = options;
  const queues = new Map<string, Queue>();
  const listeners = new Set<(queueName: string) => void>();

  const deps = {
    now,
    timer,
    findByArn: (arn: string) =>
      [...queues.values()].find((queue) => queue.properties().arn === arn),
    onPut: (queueName: string) => {
      for (const listener of listeners) listener(queueName);
    },
  };

  const open = (name: string): Queue => {
    const stored =
      directory === undefined
        ? { events: [] }
        : openEventLog(join(directory, name + LOG_SUFFIX), (value) => QueueEvent.parse(value));
    const { events: history, ...log } = stored;
    return createQueue({ ...deps, history, ...log });
  };

  const find = (name: string): Queue => {
    const queue = queues.get(name);
    if (queue !== undefined) return queue;
    throw sqsError('QueueDoesNotExist', `The specified queue does not exist: ${name}.`);
  };

  /** A target that does not exist yet is left alone: a template may make it later. */
  const checkRedrive = (sourceArn: string, attributes: Readonly<Record<string, string>>): void => {
    const targetArn = queueSettings(attributes).redrive?.targetArn;
    const target = targetArn === undefined ? undefined : deps.findByArn(targetArn);
    const allow = target?.settings().redriveAllow;
    if (allow === undefined || allow.redrivePermission === 'allowAll') return;
    if (allow.redrivePermission === 'byQueue' && allow.sourceQueueArns.includes(sourceArn)) return;
    throw sqsError(
      'InvalidParameterValue',
      `The RedriveAllowPolicy of ${targetArn} does not let ${sourceArn} use it for dead letters.`,
    );
  };

  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true });
    for (const file of readdirSync(directory)) {
      if (!file.endsWith(LOG_SUFFIX)) continue;
      const queue = open(file.slice(0, -LOG_SUFFIX.length));
      if (queue.isConfigured()) queues.set(queue.properties().name, queue);
      else queue.close(); // a crash came between making the file and its first line
    }
  }

  return {
    create({ name, arn, url, attributes }) {
      checkName(name);
      checkRedrive(arn, attributes);
      const known = queues.get(name);
      const queue = known ?? open(name);
      const createdAtMs = known?.properties().createdAtMs ?? now();
      queue.configure({ name, arn, url, attributes, createdAtMs, modifiedAtMs: now() });
      queues.set(name, queue);
    },

    list: () => [...queues.values()].map((queue) => queue.properties()),
    describe: (name) => find(name).properties(),
    attributes: (name) => find(name).attributes(),

    setAttributes(name, changes) {
      const queue = find(name);
      const properties = queue.properties();
      const attributes = { ...properties.attributes, ...changes };
      checkRedrive(properties.arn, attributes);
      queue.configure({ ...properties, attributes, modifiedAtMs: now() });
    },

    send(name, message) {
      const queue = find(name);
      const settings = queue.settings();
      checkMessage(message, settings.maximumMessageBytes);
      const { body, attributes = {}, delaySeconds = settings.delaySeconds, traceHeader } = message;
      const [id, sentAtMs] = [uuid(), now()];
      queue.put({
        id,
        body,
        attributes: { ...attributes },
        senderId: message.senderId ?? accountOf(queue.properties().arn),
        ...(traceHeader !== undefined && { traceHeader }),
        sentAtMs,
        visibleAtMs: sentAtMs + delaySeconds * 1000,
        receiveCount: 0,
        received: false,
      });
      return { messageId: id };
    },

    receive: async (name, receiveOptions) => await find(name).receive(receiveOptions),
    delete: (name, handle) => find(name).delete(handle),
    changeVisibility: (name, handle, seconds) => find(name).changeVisibility(handle, seconds),
    purge: (name) => find(name).purge(),

    onSend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async close() {
      for (const queue of queues.values()) queue.close();
      queues.clear();
    },
  };
}

const accountOf = (arn: string): string => arn.split(':')[4] ?? '';

function checkName(name: string): void {
  if (name.endsWith('.fifo')) {
    throw sqsError('UnsupportedOperation', `${name}: the laptop has no FIFO queues.`);
  }
  if (NAME.test(name)) return;
  throw sqsError(
    'InvalidParameterValue',
    `${JSON.stringify(name)} is no queue name: 1 to 80 letters, digits, hyphens and underscores.`,
  );
}
