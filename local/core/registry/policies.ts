import { compilePolicies, countedLength, POLICY_LIMITS, PolicyError } from '../policy/index.ts';
import { checkName, found, RegistryError } from './errors.ts';
import type { Policy, PolicyVersion } from './model.ts';
import type { RegistryState, RegistryWorld } from './state.ts';

/** Named, versioned policies. Documents are JSON text. */
export interface Policies {
  readonly policy: (policyName: string) => Policy | undefined;
  readonly listPolicies: () => readonly Policy[];
  readonly createPolicy: (policyName: string, document: string) => Policy;
  readonly createPolicyVersion: (
    policyName: string,
    document: string,
    setAsDefault?: boolean,
  ) => PolicyVersion;
  readonly setDefaultPolicyVersion: (policyName: string, versionId: string) => void;
  /** The default version stays as long as its policy. */
  readonly deletePolicyVersion: (policyName: string, versionId: string) => void;
  /** A policy that is attached, or has other versions than the default, stays. */
  readonly deletePolicy: (policyName: string) => void;
  /** The document that holds now. */
  readonly defaultDocument: (policyName: string) => string | undefined;
}

export function createPolicies(state: RegistryState, world: RegistryWorld): Policies {
  const { policies } = state;
  const get = (name: string): Policy => found(policies.get(name), 'policy', name);
  const save = (policy: Policy, event: 'created' | 'updated'): void => {
    policies.set(policy.policyName, policy);
    world.changed({ kind: 'policy', name: policy.policyName, event });
  };
  return {
    policy: (name) => policies.get(name),
    listPolicies: () => [...policies.values()],
    createPolicy: (policyName, document) => {
      checkName('policy name', policyName);
      if (policies.has(policyName))
        throw new RegistryError(
          'ResourceAlreadyExistsException',
          `policy "${policyName}" exists already`,
          { resourceId: policyName, resourceArn: world.arn.policy(policyName) },
        );
      checkDocument(policyName, document);
      const policy = newPolicy(policyName, document, world);
      save(policy, 'created');
      return policy;
    },
    createPolicyVersion: (name, document, setAsDefault = false) => {
      const policy = get(name);
      checkDocument(name, document);
      if (policy.versions.length >= POLICY_LIMITS.versions)
        throw new RegistryError(
          'VersionsLimitExceededException',
          `policy "${name}" has ${POLICY_LIMITS.versions} versions, which is the most; delete one first`,
        );
      const version = { versionId: String(policy.nextVersion), document, createdMs: world.now() };
      const versions = [...policy.versions, version];
      const next = { ...policy, versions, nextVersion: policy.nextVersion + 1 };
      save(setAsDefault ? asDefault(next, version.versionId, world) : next, 'updated');
      return version;
    },
    setDefaultPolicyVersion: (name, versionId) => {
      const policy = get(name);
      findVersion(policy, versionId);
      save(asDefault(policy, versionId, world), 'updated');
    },
    deletePolicyVersion: (name, versionId) => {
      const policy = get(name);
      findVersion(policy, versionId);
      if (policy.defaultVersionId === versionId)
        throw new RegistryError(
          'DeleteConflictException',
          `version ${versionId} is the default of policy "${name}"; set another one as default first`,
        );
      const versions = policy.versions.filter((version) => version.versionId !== versionId);
      save({ ...policy, versions }, 'updated');
    },
    deletePolicy: (name) => {
      const policy = get(name);
      checkUnused(policy, state);
      policies.delete(name);
      world.changed({ kind: 'policy', name, event: 'deleted' });
    },
    defaultDocument: (name) => {
      const policy = policies.get(name);
      return policy && findVersion(policy, policy.defaultVersionId).document;
    },
  };
}

const newPolicy = (policyName: string, document: string, world: RegistryWorld): Policy => ({
  policyName,
  defaultVersionId: '1',
  versions: [{ versionId: '1', document, createdMs: world.now() }],
  nextVersion: 2,
  createdMs: world.now(),
  changedMs: world.now(),
  generationId: world.uuid(),
});

const asDefault = (policy: Policy, defaultVersionId: string, { now }: RegistryWorld): Policy => ({
  ...policy,
  defaultVersionId,
  changedMs: now(),
});

/** @throws {RegistryError} `ResourceNotFoundException` */
export const findVersion = (policy: Policy, versionId: string): PolicyVersion =>
  found(
    policy.versions.find((version) => version.versionId === versionId),
    `policy "${policy.policyName}", version`,
    versionId,
  );

function checkUnused({ policyName, versions }: Policy, { policyTargets }: RegistryState): void {
  const targets = policyTargets.rightsOf(policyName);
  if (targets.length > 0)
    throw new RegistryError(
      'DeleteConflictException',
      `policy "${policyName}" is attached to ${targets.join(', ')}; detach it first`,
    );
  if (versions.length > 1)
    throw new RegistryError(
      'DeleteConflictException',
      `policy "${policyName}" has ${versions.length} versions; delete all but the default first`,
    );
}

function checkDocument(policyName: string, text: string): void {
  const refuse = (problem: string) =>
    new RegistryError('MalformedPolicyException', `policy "${policyName}": ${problem}`);
  const length = countedLength(text);
  if (length > POLICY_LIMITS.size)
    throw refuse(`${length} characters without white space; the most is ${POLICY_LIMITS.size}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse(`not JSON: ${String(error)}`);
  }
  try {
    compilePolicies([{ name: policyName, document }], 'iot');
  } catch (error) {
    if (error instanceof PolicyError)
      throw new RegistryError('MalformedPolicyException', error.message);
    throw error;
  }
}
