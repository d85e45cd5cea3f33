import { AuthorizerRefusal } from '../../core/authorizer/index.ts';
import type { Timers } from '../../core/mqtt/broker-state.ts';
import type { Authorization } from './authorizers.ts';

/** A grant that a connection lives on: refreshed now and then, and ended. */
export interface Lease {
  readonly current: Authorization;
  /** Grows with each refresh. */
  readonly revision: number;
  /** Stops refreshing; the connection has ended. */
  release(): void;
}

export interface LeaseOptions {
  readonly first: Authorization;
  /** Asks the authorizer again. */
  readonly again: () => Promise<Authorization>;
  readonly timers: Timers;
  /** The connection's time is over. */
  readonly onExpired: () => void;
  /** The authorizer no longer lets it in. */
  readonly onRefused: (error: unknown) => void;
}

/**
 * Refreshes a grant after `refreshAfterInSeconds` and ends it after `disconnectAfterInSeconds`, which a refresh
 * does not put off.
 *
 * @see IoT Core Developer Guide, "Creating and managing custom authorizers"
 */
export function openLease(options: LeaseOptions): Lease {
  const { first, again, timers, onExpired, onRefused } = options;
  const state = { current: first, revision: 0, released: false };
  let cancelRefresh = (): void => undefined;

  const release = (): void => {
    state.released = true;
    cancelRefresh();
    cancelExpiry();
  };

  const refresh = async (): Promise<void> => {
    try {
      const next = await again();
      if (state.released) return;
      checkPrincipal(first, next);
      state.current = next;
      state.revision += 1;
      schedule(next.refreshAfterSeconds);
    } catch (error) {
      if (state.released) return;
      release();
      onRefused(error);
    }
  };

  const schedule = (seconds: number): void => {
    cancelRefresh = timers(seconds * 1000, () => void refresh());
  };

  const cancelExpiry = timers(first.disconnectAfterSeconds * 1000, () => {
    release();
    onExpired();
  });
  schedule(first.refreshAfterSeconds);

  return {
    get current() {
      return state.current;
    },
    get revision() {
      return state.revision;
    },
    release,
  };
}

/** A connection stays who it is. */
function checkPrincipal(first: Authorization, next: Authorization): void {
  if (first.principalId === next.principalId) return;
  const text = `authorizer ${next.authorizer.name} answered with another principalId on refresh`;
  throw new AuthorizerRefusal('INVALID_RESPONSE', text);
}
