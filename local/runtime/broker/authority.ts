import type { X509Certificate } from 'node:crypto';
import type { Log } from '../../core/log.ts';
import { type Access, createAccess, type Grants } from '../../core/mqtt/access.ts';
import type { Timers } from '../../core/mqtt/broker-state.ts';
import {
  type CompiledPolicies,
  compilePolicies,
  type PolicyContext,
} from '../../core/policy/index.ts';
import { parseCertificate } from '../../pki/index.ts';
import { certificateVariables, thingVariables } from './policy-context.ts';
import type { RegistryView } from './registry-view.ts';

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
  /** Called when changes have propagated: certificates may have lost their right to be connected. */
  readonly onPropagated: () => void;
}

export interface Authority {
  /** Rights of a certificate under a client id; without one (HTTPS) thing variables have no value. */
  accessFor(peer: AuthenticatedPeer, clientId?: string): Access;
  /** Counts the changes that have propagated. */
  generation(): number;
  close(): void;
}

/** Decides what certificates may do, by the policies that the registry attaches to them. */
export function createAuthority(options: AuthorityOptions): Authority {
  const { registry, accountId, region, propagationDelayMs, timers, log } = options;
  let generation = 0;
  let cancelNotice: (() => void) | undefined;

  const propagate = (): void => {
    generation += 1;
    cancelNotice ??= timers(0, () => {
      cancelNotice = undefined;
      options.onPropagated();
    });
  };
  const unsubscribe = registry.onChange(() => {
    if (propagationDelayMs === 0) propagate();
    else timers(propagationDelayMs, propagate);
  });

  const read = (
    peer: AuthenticatedPeer,
    ofCertificate: PolicyContext,
    clientId: string | undefined,
  ): Grants => ({
    policies: compile(peer, registry, log),
    context: {
      ...ofCertificate,
      ...(clientId !== undefined && {
        'iot:ClientId': clientId,
        ...thingVariables(clientId, peer.certificateId, registry),
      }),
      'aws:SourceIp': peer.sourceIp,
      'iot:DomainName': peer.domainName,
    },
  });

  return {
    accessFor(peer, clientId) {
      const ofCertificate = certificateVariables(parseCertificate(peer.certificate.raw));
      return createAccess({
        arnPrefix: `arn:aws:iot:${region}:${accountId}`,
        read: () => read(peer, ofCertificate, clientId),
        generation: () => generation,
      });
    },
    generation: () => generation,
    close() {
      unsubscribe();
      cancelNotice?.();
    },
  };
}

/** A policy that cannot be read allows nothing, and takes the certificate's others with it. */
function compile(
  { certificateId }: AuthenticatedPeer,
  registry: RegistryView,
  log: Log,
): CompiledPolicies {
  try {
    return compilePolicies(registry.policiesOf(certificateId), 'iot');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log({ level: 'error', source: 'gateway', message, certificateId });
    return compilePolicies([], 'iot');
  }
}
