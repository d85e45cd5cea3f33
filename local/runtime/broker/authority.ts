import type { X509Certificate } from 'node:crypto';
import type { Log } from '../../core/log.ts';
import { type Access, createAccess, type Grants } from '../../core/mqtt/access.ts';
import type { Timers } from '../../core/mqtt/broker-state.ts';
import { compilePolicies } from '../../core/policy/index.ts';
import type { RegistryView } from './registry-view.ts';
import { createRevisions } from './revisions.ts';

/** A peer whose certificate was accepted. */
export interface AuthenticatedPeer {
  readonly certificateId: string;
  readonly certificate: X509Certificate;
  readonly sourceIp: string;
  /** Server name the client asked for (SNI). */
  readonly domainName?: string;
}

export interface AuthorityOptions {
  readonly registry: RegistryView;
  readonly accountId: string;
  readonly region: string;
  /** How long a change of the registry takes to reach open connections; AWS's caches take minutes. */
  readonly propagationDelayMs: number;
  readonly timers: Timers;
  readonly log: Log;
  /** A certificate that may no longer be connected. */
  readonly onDeactivated: (certificateId: string) => void;
}

export interface Authority {
  /** Rights of a certificate under a client id; without one (HTTPS) thing variables have no value. */
  accessFor(peer: AuthenticatedPeer, clientId?: string): Access;
  /** Grows with the changes that concern a certificate and have propagated. */
  revision(certificateId: string): number;
  close(): void;
}

/** Decides what certificates may do, by the policies that the registry attaches to them. */
export function createAuthority(options: AuthorityOptions): Authority {
  const { registry, accountId, region, propagationDelayMs, timers, log } = options;
  const revisions = createRevisions({
    registry,
    propagationDelayMs,
    timers,
    onPropagated: ({ kind, name }) => {
      if (kind !== 'certificate' || registry.certificate(name)?.status === 'ACTIVE') return;
      options.onDeactivated(name);
    },
  });

  return {
    accessFor: (peer, clientId) =>
      createAccess({
        arnPrefix: `arn:aws:iot:${region}:${accountId}`,
        read: () => grantsOf(registry, peer, clientId, log),
        revision: () => revisions.of(peer.certificateId, clientId),
      }),
    revision: (certificateId) => revisions.of(certificateId, undefined),
    close: () => revisions.close(),
  };
}

/** Where the registry cannot say (a certificate deleted meanwhile, say), nothing is allowed. */
function grantsOf(
  registry: RegistryView,
  { certificateId, sourceIp, domainName }: AuthenticatedPeer,
  clientId: string | undefined,
  log: Log,
): Grants {
  try {
    return {
      policies: compilePolicies(registry.policiesOf(certificateId, clientId), 'iot'),
      context: {
        ...registry.connectionContext(certificateId, clientId),
        'aws:SourceIp': sourceIp,
        'iot:DomainName': domainName,
      },
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log({ level: 'error', source: 'gateway', message, certificateId });
    return { policies: compilePolicies([], 'iot'), context: {} };
  }
}
