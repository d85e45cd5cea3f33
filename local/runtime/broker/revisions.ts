import type { Timers } from '../../core/mqtt/broker-state.ts';
import type { RegistryChange } from '../../core/registry/index.ts';
import type { RegistryView } from './registry-view.ts';

/** How often what a connection stands on has changed, as far as that has propagated. */
export interface Revisions {
  /** Grows with each change that may concern this certificate under this client id. */
  of(certificateId: string, clientId: string | undefined): number;
  close(): void;
}

export interface RevisionsOptions {
  readonly registry: Pick<RegistryView, 'onChange'>;
  /** From a change to the moment it counts. */
  readonly propagationDelayMs: number;
  readonly timers: Timers;
  readonly onPropagated: (change: RegistryChange) => void;
}

/**
 * Follows the registry. A certificate's or thing's change concerns its own connection only, so that adding
 * the thousandth device does not have the policies of the other 999 compiled again.
 */
export function createRevisions(options: RevisionsOptions): Revisions {
  const { registry, propagationDelayMs, timers, onPropagated } = options;
  const own = new Map<string, number>();
  const underway = new Set<() => void>();
  let common = 0;

  const propagate = (change: RegistryChange): void => {
    const { kind, name } = change;
    const key = `${kind} ${name}`;
    if (kind === 'certificate' || kind === 'thing') own.set(key, (own.get(key) ?? 0) + 1);
    else common += 1;
    onPropagated(change);
  };

  const later = (change: RegistryChange): void => {
    const cancel = timers(propagationDelayMs, () => {
      underway.delete(cancel);
      propagate(change);
    });
    underway.add(cancel);
  };

  const unsubscribe = registry.onChange(propagationDelayMs === 0 ? propagate : later);
  return {
    of: (certificateId, clientId) =>
      common +
      (own.get(`certificate ${certificateId}`) ?? 0) +
      (clientId === undefined ? 0 : (own.get(`thing ${clientId}`) ?? 0)),
    close() {
      unsubscribe();
      for (const cancel of underway) cancel();
    },
  };
}
