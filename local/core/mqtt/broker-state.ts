import type { Log } from '../log.ts';
import type { Connection, TransportProtocol } from './connection.ts';
import type { Inbound } from './inbound.ts';
import type { Limits } from './limits.ts';
import type { PresenceVersions } from './presence.ts';
import type { GatewayEvent } from './refusal.ts';
import type { RetainedStore } from './retained.ts';
import type { ServiceTopics } from './service-topics.ts';
import type { Session } from './session.ts';
import type { SubscriptionIndex } from './subscription-index.ts';

/** Calls `run` once after `ms`, unless the function it returns is called first. */
export type Timers = (ms: number, run: () => void) => () => void;

/** All the broker needs from outside. */
export interface BrokerPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
  readonly timers: Timers;
  readonly log: Log;
  readonly onEvent: (event: GatewayEvent) => void;
  /** Hands a message to the rules engine; QoS 1 is acknowledged when it resolves. */
  readonly publishToRules: (inbound: Inbound) => Promise<void>;
  /** Reserved topics that are answered here; without it, none. */
  readonly serviceTopics?: ServiceTopics;
}

export type Transports = TransportProtocol | 'https';

export interface Counters {
  /** Messages taken from clients, by transport. */
  readonly accepted: Record<Transports, number>;
  /** Connections and requests turned away, by reason. */
  readonly refused: Record<string, number>;
}

/** The broker's whole state; the handlers of `packets/` work on it. */
export interface BrokerState extends BrokerPorts {
  readonly limits: Limits;
  readonly sessions: Map<string, Session>;
  readonly subscriptions: SubscriptionIndex;
  readonly retained: RetainedStore;
  readonly connections: Set<Connection>;
  readonly presence: PresenceVersions;
  /** Wills that wait for their Will Delay Interval, by client id. */
  readonly delayedWills: Map<string, DelayedWill>;
  readonly counters: Counters;
}

export interface DelayedWill {
  readonly cancel: () => void;
  readonly publish: () => void;
}
