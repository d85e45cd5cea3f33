import type { X509Certificate } from 'node:crypto';
import type { Grant } from '../../core/authorizer/index.ts';
import type { Log } from '../../core/log.ts';
import { type Access, createAccess, type Grants } from '../../core/mqtt/access.ts';
import type { Timers } from '../../core/mqtt/broker-state.ts';
import { compilePolicies, type PolicyContext, type PolicySource } from '../../core/policy/index.ts';
import type { Signer } from '../access-keys.ts';
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

/** Where a peer comes from, whatever its credentials are. */
export interface Origin {
  readonly sourceIp: string;
  readonly domainName?: string;
}

/** What a custom authorizer has granted, as it stands now. */
export interface HeldGrant {
  readonly current: Grant;
  /** Grows with each refresh. */
  readonly revision: number;
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
  /** Rights of somebody who signed: IAM's, and for a Cognito identity those of its IoT policies too. */
  accessForSigner(signer: Signer, origin: Origin, clientId?: string): Access;
  /** Rights that an authorizer gave; with a client certificate, united with those of its own policies. */
  accessForGrant(
    held: HeldGrant,
    origin: Origin,
    clientId: string | undefined,
    certificateId?: string,
  ): Access;
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

  const arnPrefix = `arn:aws:iot:${region}:${accountId}`;
  return {
    accessFor: (peer, clientId) =>
      createAccess({
        arnPrefix,
        read: () => grantsOf(registry, peer, clientId, log),
        revision: () => revisions.of(peer.certificateId, clientId),
      }),
    accessForSigner: (signer, origin, clientId) => {
      const { policies, identityId } = signer;
      const context = contextOf(origin, {
        'iot:ClientId': clientId,
        'cognito-identity.amazonaws.com:sub': identityId,
      });
      const iam = createAccess({
        arnPrefix,
        read: () => ({ policies, context }),
        revision: () => 0,
      });
      if (identityId === undefined) return iam;
      const attached = createAccess({
        arnPrefix,
        read: () =>
          attempted(log, () => ({
            policies: registry.policiesOfTarget(identityId),
            context: { ...context, ...registry.thingContext(identityId, clientId) },
          })),
        revision: () => revisions.of('', undefined),
      });
      return bothOf(iam, attached);
    },
    accessForGrant: (held, origin, clientId, certificateId) =>
      createAccess({
        arnPrefix,
        read: () =>
          certificateId === undefined
            ? {
                policies: held.current.policies,
                context: contextOf(origin, { 'iot:ClientId': clientId }),
              }
            : attempted(log, () => ({
                policies: [
                  ...documentsOf(held.current),
                  ...registry.policiesOf(certificateId, clientId),
                ],
                context: contextOf(origin, registry.connectionContext(certificateId, clientId)),
              })),
        revision: () =>
          held.revision + (certificateId === undefined ? 0 : revisions.of(certificateId, clientId)),
      }),
    revision: (certificateId) => revisions.of(certificateId, undefined),
    close: () => revisions.close(),
  };
}

const contextOf = ({ sourceIp, domainName }: Origin, more: PolicyContext): PolicyContext => ({
  ...more,
  'aws:SourceIp': sourceIp,
  'iot:DomainName': domainName,
});

const documentsOf = ({ documents }: Grant): readonly PolicySource[] =>
  documents.map((document, index) => ({ name: `authorizer, document ${index}`, document }));

/** Two parties must both agree; the first that does not is the one who refuses. */
function bothOf(one: Access, other: Access): Access {
  return {
    resource: one.resource,
    decide(action, name) {
      const first = one.decide(action, name);
      return first.decision.allowed ? other.decide(action, name) : first;
    },
    connect(clientId, attributes) {
      const first = one.connect(clientId, attributes);
      return first.allowed ? other.connect(clientId, attributes) : first;
    },
  };
}

function grantsOf(
  registry: RegistryView,
  { certificateId, sourceIp, domainName }: AuthenticatedPeer,
  clientId: string | undefined,
  log: Log,
): Grants {
  const origin = { sourceIp, ...(domainName !== undefined && { domainName }) };
  return attempted(log, () => ({
    policies: registry.policiesOf(certificateId, clientId),
    context: contextOf(origin, registry.connectionContext(certificateId, clientId)),
  }));
}

/** Where the registry cannot say (a certificate deleted meanwhile, say), nothing is allowed. */
function attempted(
  log: Log,
  read: () => { readonly policies: readonly PolicySource[]; readonly context: PolicyContext },
): Grants {
  try {
    const { policies, context } = read();
    return { policies: compilePolicies(policies, 'iot'), context };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log({ level: 'error', source: 'gateway', message });
    return { policies: compilePolicies([], 'iot'), context: {} };
  }
}
