import type { Connection } from './connection.ts';
import type { Limits } from './limits.ts';
import { detached, isExpired, type Message } from './message.ts';

export interface Subscription {
  /** As the client wrote it, `$share/…` included. */
  readonly text: string;
  readonly filter: string;
  readonly group?: string;
  readonly qos: 0 | 1;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
}

/** A QoS 1 message for one session, with the retain flag this subscriber is to see. */
export interface Delivery {
  readonly message: Message;
  readonly retain: boolean;
}

/** What the broker remembers of a client id while it is connected, and after if it asked for that. */
export interface Session {
  readonly clientId: string;
  readonly subscriptions: Map<string, Subscription>;
  /** Sent and not acknowledged, by packet identifier. */
  readonly inFlight: Map<number, Delivery>;
  /** Waiting for room in flight, or for the client to come back. */
  queue: Delivery[];
  queuedBytes: number;
  lastMessageId: number;
  /** How long it outlives its connection; 0 not at all. */
  expirySeconds: number;
  connection: Connection | undefined;
  /** Ends the timer of its expiry, while the client is away. */
  cancelExpiry: () => void;
}

const nothing = (): void => undefined;

export const createSession = (clientId: string): Session => ({
  clientId,
  subscriptions: new Map(),
  inFlight: new Map(),
  queue: [],
  queuedBytes: 0,
  lastMessageId: 0,
  expirySeconds: 0,
  connection: undefined,
  cancelExpiry: nothing,
});

/** @returns false where the session's queue is full and the message is lost to it. */
export function enqueue(session: Session, delivery: Delivery, limits: Limits): boolean {
  const bytes = delivery.message.payload.length;
  if (session.queue.length >= limits.queuedMessages) return false;
  if (session.queuedBytes + bytes > limits.queuedBytes) return false;
  session.queue.push({ ...delivery, message: detached(delivery.message) });
  session.queuedBytes += bytes;
  return true;
}

/** Takes the oldest queued delivery that has not expired. */
export function dequeue(session: Session, nowMs: number): Delivery | undefined {
  for (;;) {
    const next = session.queue.shift();
    if (next === undefined) return undefined;
    session.queuedBytes -= next.message.payload.length;
    if (!isExpired(next.message, nowMs)) return next;
  }
}

/** Puts what was sent and never acknowledged back in front, in the order it was sent. */
export function requeueInFlight(session: Session): void {
  const again = [...session.inFlight.values()];
  session.inFlight.clear();
  session.queue = [...again, ...session.queue];
  session.queuedBytes += again.reduce((sum, { message }) => sum + message.payload.length, 0);
}

/** A packet identifier that is not in flight, 1 to 65535. */
export function nextMessageId(session: Session): number {
  do session.lastMessageId = (session.lastMessageId % 0xffff) + 1;
  while (session.inFlight.has(session.lastMessageId));
  return session.lastMessageId;
}
