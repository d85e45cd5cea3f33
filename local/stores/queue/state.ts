import * as z from 'zod';
import { createHeap } from './heap.ts';

/** A message attribute as SQS writes it on the wire; `BinaryValue` is base64. */
export const MessageAttribute = z.object({
  DataType: z.string(),
  StringValue: z.string().optional(),
  BinaryValue: z.string().optional(),
});
export type MessageAttribute = z.infer<typeof MessageAttribute>;

const StoredMessage = z.object({
  id: z.string(),
  body: z.string(),
  attributes: z.record(z.string(), MessageAttribute),
  senderId: z.string(),
  traceHeader: z.string().optional(),
  /** ARN of the queue whose redrive policy moved the message here. */
  sourceArn: z.string().optional(),
  sentAtMs: z.number(),
  /** Not handed out before this: a delay, or the visibility timeout of who has it. */
  visibleAtMs: z.number(),
  receiveCount: z.int(),
  firstReceivedAtMs: z.number().optional(),
  /** Whether this queue, and not only the one it came from, has handed it out. */
  received: z.boolean(),
});
export type StoredMessage = z.infer<typeof StoredMessage>;

const QueueProperties = z.object({
  name: z.string(),
  arn: z.string(),
  url: z.string(),
  attributes: z.record(z.string(), z.string()),
  createdAtMs: z.number(),
  modifiedAtMs: z.number(),
});
export type QueueProperties = z.infer<typeof QueueProperties>;

/** Everything that can happen to a queue; its state is what these add up to. */
export const QueueEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('configured'), queue: QueueProperties }),
  z.object({ type: z.literal('sent'), message: StoredMessage }),
  z.object({
    type: z.literal('received'),
    id: z.string(),
    atMs: z.number(),
    visibleAtMs: z.number(),
  }),
  z.object({ type: z.literal('hidden'), id: z.string(), visibleAtMs: z.number() }),
  z.object({ type: z.literal('gone'), id: z.string() }),
  z.object({ type: z.literal('purged') }),
]);
export type QueueEvent = z.infer<typeof QueueEvent>;

/** Messages of one queue, in the order in which they become visible. */
export interface QueueState {
  apply(event: QueueEvent): void;
  queue(): QueueProperties | undefined;
  get(id: string): StoredMessage | undefined;
  messages(): Iterable<StoredMessage>;
  size(): number;
  /** The message that is, or next becomes, visible. */
  next(): StoredMessage | undefined;
  /** Events that would build this state again. */
  snapshot(): QueueEvent[];
}

interface Turn {
  readonly id: string;
  readonly visibleAtMs: number;
  readonly order: number;
}

export function createQueueState(): QueueState {
  const messages = new Map<string, StoredMessage>();
  const currentTurn = new Map<string, Turn>();
  const turns = createHeap<Turn>((a, b) =>
    a.visibleAtMs === b.visibleAtMs ? a.order < b.order : a.visibleAtMs < b.visibleAtMs,
  );
  let properties: QueueProperties | undefined;
  let order = 0;

  const place = (message: StoredMessage): void => {
    const turn = { id: message.id, visibleAtMs: message.visibleAtMs, order: order++ };
    messages.set(message.id, message);
    currentTurn.set(message.id, turn);
    turns.push(turn);
  };

  const change = (id: string, changes: Partial<StoredMessage>): void => {
    const message = messages.get(id);
    if (message !== undefined) place({ ...message, ...changes });
  };

  const clear = (): void => {
    messages.clear();
    currentTurn.clear();
    turns.clear();
  };

  return {
    apply(event) {
      switch (event.type) {
        case 'configured':
          properties = event.queue;
          return;
        case 'sent':
          place(event.message);
          return;
        case 'received': {
          const message = messages.get(event.id);
          change(event.id, {
            visibleAtMs: event.visibleAtMs,
            received: true,
            receiveCount: (message?.receiveCount ?? 0) + 1,
            firstReceivedAtMs: message?.firstReceivedAtMs ?? event.atMs,
          });
          return;
        }
        case 'hidden':
          change(event.id, { visibleAtMs: event.visibleAtMs });
          return;
        case 'gone':
          messages.delete(event.id);
          currentTurn.delete(event.id);
          return;
        case 'purged':
          clear();
      }
    },
    queue: () => properties,
    get: (id) => messages.get(id),
    messages: () => messages.values(),
    size: () => messages.size,
    next() {
      for (let turn = turns.peek(); turn !== undefined; turn = turns.peek()) {
        if (currentTurn.get(turn.id) === turn) return messages.get(turn.id);
        turns.pop(); // an earlier place of a message that has moved or gone
      }
      return undefined;
    },
    snapshot: () => [
      ...(properties === undefined ? [] : [{ type: 'configured' as const, queue: properties }]),
      ...[...messages.values()].map((message) => ({ type: 'sent' as const, message })),
    ],
  };
}
