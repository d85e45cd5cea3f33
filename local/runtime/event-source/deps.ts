import type { Log } from '../../core/log.ts';
import type { InvokeResult } from '../lambda.ts';
import type { Authorize } from '../lambda-authorize.ts';
import type { Clock } from '../lambda-clock.ts';

/** What every mapping gets from outside. */
export interface MappingDeps extends Clock {
  /** Rejects where the function did not run, as when it is throttled. */
  readonly invoke: (functionName: string, event: unknown) => Promise<InvokeResult>;
  readonly authorize: Authorize;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

export type MappingState =
  | { readonly status: 'stopped' | 'running' | 'disabled' }
  | { readonly status: 'failed'; readonly problem: string };

export interface Mapping {
  /** Begins to read; a mapping that may not, or that is wrong, does not, and `state` says why. */
  readonly start: () => void;
  /** Resolves when nothing of it runs any more; what was not finished is read again by the next start. */
  readonly stop: () => Promise<void>;
  /** Resolves when everything there is to read now has been dealt with. */
  readonly idle: () => Promise<void>;
  readonly state: () => MappingState;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/** Doubles with each failure before, from one second to a minute; its second half is random. */
export function backoffMs(failuresBefore: number, random: number): number {
  const full = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failuresBefore, 20), LONGEST_WAIT_MS);
  return full * (0.5 + random / 2);
}
