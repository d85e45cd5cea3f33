import type { Limits } from './limits.ts';
import { detached, isExpired, type Message } from './message.ts';

export type Retaining = 'kept' | 'deleted' | 'too-many' | 'too-fast';

export interface RetainedStore {
  /** An empty payload deletes what the topic held. */
  store(message: Message, nowMs: number): Retaining;
  /** What a new subscription to exactly this topic gets; AWS gives wildcard subscriptions nothing. */
  get(filter: string, nowMs: number): Message | undefined;
}

interface Kept {
  readonly message: Message;
  readonly storedAtMs: number;
}

/** The last retained message of each topic. */
export function createRetainedStore(limits: Limits): RetainedStore {
  const topics = new Map<string, Kept>();
  const tooFast = (topic: string, nowMs: number): boolean =>
    limits.rates && nowMs - (topics.get(topic)?.storedAtMs ?? Number.NEGATIVE_INFINITY) < 1000;

  return {
    store(message, nowMs) {
      const { topic, payload } = message;
      if (tooFast(topic, nowMs)) return 'too-fast';
      if (payload.length === 0) {
        topics.delete(topic);
        return 'deleted';
      }
      if (!topics.has(topic) && topics.size >= limits.retainedMessages) return 'too-many';
      topics.set(topic, { message: detached(message), storedAtMs: nowMs });
      return 'kept';
    },
    get(filter, nowMs) {
      const kept = topics.get(filter)?.message;
      if (kept === undefined || !isExpired(kept, nowMs)) return kept;
      topics.delete(filter);
      return undefined;
    },
  };
}
