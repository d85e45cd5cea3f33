import { createHash } from 'node:crypto';
import { isAfter } from '../sequence-number.ts';
import { readReport, reporterOf } from './device-report.ts';
import type { Connection, DeviceState } from './device-state.ts';
import { countersObserved, type Observation, presenceObserved } from './observation.ts';
import type { Counters, Presence, Signal } from './signal.ts';
import { uncounted } from './tally.ts';

/** Of lifecycle events; duplicates come within moments. */
const RECENT_LIMIT = 8;

/** The thing that a signal is about; none for one about a gateway, which is no device. */
export function thingOf(signal: Signal): string | undefined {
  switch (signal.source) {
    case 'counters':
    case 'join':
      return signal.thing;
    case 'presence':
      return signal.thingName ?? signal.clientId;
    case 'report':
      return reporterOf(signal.topic);
    case 'gateway':
      return undefined;
  }
}

/** What a signal adds to a device's state before any behaviour is looked at. */
export interface Taken {
  readonly state: DeviceState;
  readonly observations: readonly Observation[];
}

/**
 * Takes one signal, once: a signal up to `upTo` was taken before, counters of records that were counted before count
 * nothing, and a lifecycle event that comes twice is one.
 *
 * @throws {RejectedError} when the report of a device cannot be read
 */
export function takeSignal(before: DeviceState, signal: Signal, sequenceNumber: string): Taken {
  if (!isAfter(sequenceNumber, before.upTo)) return { state: before, observations: [] };
  if (signal.source === 'counters') return takeCounters(before, signal, sequenceNumber);
  const state = { ...before, upTo: sequenceNumber };
  switch (signal.source) {
    case 'presence':
      return takePresence(state, signal);
    case 'report':
      return { state, observations: readReport(signal.data, signal.receivedAtMs) };
    case 'join':
      return {
        state,
        observations: [{ metric: 'tributary:num-joins', atMs: signal.atMs, count: 1 }],
      };
    case 'gateway':
      return { state, observations: [] };
  }
}

function takeCounters(before: DeviceState, counters: Counters, upTo: string): Taken {
  const { counted, latestMs, windows, progress, recent, connection } = before;
  const fresh = uncounted(counters, counted[counters.function]);
  const taken = fresh === undefined ? counted : countedTo(counted, counters);
  return {
    state: { upTo, counted: taken, latestMs, windows, progress, recent, connection },
    observations: fresh === undefined ? [] : countersObserved(fresh),
  };
}

const countedTo = (
  { ingest, decode }: DeviceState['counted'],
  { function: by, to }: Counters,
): DeviceState['counted'] => (by === 'ingest' ? { ingest: to, decode } : { ingest, decode: to });

function takePresence(state: DeviceState, event: Presence): Taken {
  const id = eventId(event);
  if (state.recent.includes(id)) return { state, observations: [] };
  const { connection } = state;
  const away = connection?.connected === false ? connection.atMs : undefined;
  return {
    state: {
      ...state,
      recent: [...state.recent, id].slice(-RECENT_LIMIT),
      connection: newer(connection, connectionOf(event)),
    },
    observations: presenceObserved(event, away),
  };
}

const newer = (
  one: Connection | undefined,
  other: Connection | undefined,
): Connection | undefined =>
  one === undefined || (other !== undefined && other.atMs >= one.atMs) ? other : one;

const connectionOf = ({ eventType, timestamp }: Presence): Connection | undefined =>
  eventType === 'connect_failed'
    ? undefined
    : { connected: eventType === 'connected', atMs: timestamp };

const eventId = ({ eventType, sessionIdentifier, timestamp, versionNumber }: Presence): string =>
  createHash('sha256')
    .update(JSON.stringify([eventType, sessionIdentifier, timestamp, versionNumber]))
    .digest('base64url')
    .slice(0, 6);
