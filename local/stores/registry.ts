import { randomBytes, randomUUID } from 'node:crypto';
import type { PolicyContext, PolicySource } from '../core/policy/index.ts';
import {
  type Arns,
  type Attachments,
  arnsOf,
  type Certificates,
  certificateVariables,
  createAttachments,
  createCertificates,
  createPolicies,
  createThingGroups,
  createThings,
  emptyFile,
  fileFrom,
  found,
  type Policies,
  type RegistryChange,
  type RegistryState,
  stateFrom,
  type ThingGroups,
  type Things,
  thingVariables,
} from '../core/registry/index.ts';
import { type CertificateFacts, parseCertificate } from '../pki/index.ts';
import { createRegistryWriter, readRegistry } from './registry-file.ts';

export interface RegistryOptions {
  readonly now: () => number;
  readonly accountId: string;
  readonly region: string;
  /** Where `registry.json` is kept; without it the registry lives in memory. */
  readonly directory?: string;
  readonly uuid?: () => string;
}

/**
 * The device registry: things, groups, certificates, authorities, policies and what is attached to what.
 * Refusals are `RegistryError`s with AWS's codes.
 */
export interface Registry extends Things, ThingGroups, Certificates, Policies, Attachments {
  readonly arn: Arns;
  /** What the common name of a CA's verification certificate must be. */
  readonly registrationCode: string;
  /** What a registered certificate says of itself. */
  readonly certificateFacts: (certificateId: string) => CertificateFacts;
  /**
   * The policies that hold for a certificate: its own and, for a client whose id is the name of an attached thing,
   * those of the thing's groups and the groups above.
   */
  readonly policiesOf: (certificateId: string, clientId?: string) => readonly PolicySource[];
  /** Names of the things attached to a certificate. */
  readonly thingsOf: (certificateId: string) => readonly string[];
  /** PEM of the active authorities: device certificates of theirs may connect or register. */
  readonly caCertificates: () => readonly string[];
  /** The policies attached to one target itself: a certificate, a group or a Cognito identity. */
  readonly policiesOfTarget: (target: string) => readonly PolicySource[];
  /** The policies that a thing brings to its connection: those of its groups and the groups above. */
  readonly policiesOfThing: (thingName: string) => readonly PolicySource[];
  /** Policy variables of a connection; leave the client id out for HTTPS. Address and domain are the gateway's to add. */
  readonly connectionContext: (certificateId: string, clientId?: string) => PolicyContext;
  /** Policy variables of the thing that a connection is of, whatever principal it is attached to. */
  readonly thingContext: (principal: string, clientId?: string) => PolicyContext;
  /** @returns how to stop listening */
  readonly onChange: (listener: (change: RegistryChange) => void) => () => void;
  /** Resolves when all changes so far are on disk. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** @throws {StateFileError} when the directory holds a registry that cannot be read */
export function createRegistry(options: RegistryOptions): Registry {
  const { now, directory, uuid = randomUUID } = options;
  const stored = directory === undefined ? undefined : readRegistry(directory);
  const state = stateFrom(stored ?? emptyFile(randomBytes(32).toString('hex')));
  const writer =
    directory === undefined ? undefined : createRegistryWriter(directory, () => fileFrom(state));
  // the registration code of a new registry must be the same after a restart
  if (stored === undefined) writer?.changed();
  const listeners = new Set<(change: RegistryChange) => void>();
  const world = {
    now,
    uuid,
    arn: arnsOf(options.region, options.accountId),
    changed: (change: RegistryChange) => {
      writer?.changed();
      for (const listener of listeners) listener(change);
    },
  };
  const parts = {
    ...createThings(state, world),
    ...createThingGroups(state, world),
    ...createCertificates(state, world),
    ...createPolicies(state, world),
    ...createAttachments(state, world),
  };
  const flush = async () => writer?.flush();
  return {
    ...parts,
    ...readings(state, parts, world.arn),
    arn: world.arn,
    registrationCode: state.registrationCode,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    flush,
    close: flush,
  };
}

type Parts = Things & ThingGroups & Certificates & Policies & Attachments;

/** What is worked out from several parts together. */
function readings(state: RegistryState, parts: Parts, arn: Arns) {
  const certificateFacts = rememberedFacts(state);
  const source = (name: string): PolicySource => ({
    name,
    document: JSON.parse(found(parts.defaultDocument(name), 'policy', name)),
  });
  const thingsOf = (id: string) => parts.thingsOfPrincipal(arn.certificate(id));
  const policiesAt = (targets: readonly string[]): readonly PolicySource[] =>
    [...new Set(targets.flatMap((target) => parts.policiesAttachedTo(target)))].map(source);
  const thingContext = (principal: string, clientId?: string): PolicyContext =>
    thingVariables(
      clientId,
      clientId === undefined ? undefined : parts.thing(clientId),
      parts.thingsOfPrincipal(principal),
    );
  const groupArns = (thing: string) => parts.groupsAndParentsOf(thing).map(arn.thingGroup);
  return {
    certificateFacts,
    thingsOf,
    caCertificates: () =>
      parts
        .listAuthorities()
        .filter(({ status }) => status === 'ACTIVE')
        .map(({ pem }) => pem),
    policiesOfTarget: (target: string) => policiesAt([target]),
    policiesOfThing: (thing: string) => {
      found(parts.thing(thing), 'thing', thing);
      return policiesAt(groupArns(thing));
    },
    policiesOf: (id: string, clientId?: string) => {
      const isThing = clientId !== undefined && thingsOf(id).includes(clientId);
      return policiesAt([arn.certificate(id), ...(isThing ? groupArns(clientId) : [])]);
    },
    thingContext,
    connectionContext: (id: string, clientId?: string): PolicyContext => ({
      ...certificateVariables(certificateFacts(id)),
      ...thingContext(arn.certificate(id), clientId),
    }),
  };
}

/** Certificates do not change: each is read once. */
function rememberedFacts({ certificates }: RegistryState): (id: string) => CertificateFacts {
  const known = new Map<string, CertificateFacts>();
  return (id) => {
    const { pem } = found(certificates.get(id), 'certificate', id);
    const facts = known.get(id) ?? parseCertificate(pem);
    known.set(id, facts);
    return facts;
  };
}
