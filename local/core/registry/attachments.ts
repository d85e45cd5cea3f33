import { POLICY_LIMITS } from '../policy/index.ts';
import { found, notFound, RegistryError } from './errors.ts';
import type { RegistryChange } from './model.ts';
import type { RegistryState, RegistryWorld } from './state.ts';

/** What is attached to what. A principal or target is an ARN, or a Cognito identity id. */
export interface Attachments {
  readonly attachThingPrincipal: (thingName: string, principal: string) => void;
  readonly detachThingPrincipal: (thingName: string, principal: string) => void;
  readonly principalsOf: (thingName: string) => readonly string[];
  readonly thingsOfPrincipal: (principal: string) => readonly string[];
  readonly attachPolicy: (policyName: string, target: string) => void;
  readonly detachPolicy: (policyName: string, target: string) => void;
  /** With `recursive`, a group has the policies of the groups above it too. */
  readonly policiesAttachedTo: (target: string, recursive?: boolean) => readonly string[];
  readonly targetsOf: (policyName: string) => readonly string[];
}

const ARN = /^arn:[^:]+:iot:[^:]*:[^:]*:(cert|thinggroup)\/(.+)$/;
const COGNITO_IDENTITY = /^[\w-]+:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function createAttachments(state: RegistryState, world: RegistryWorld): Attachments {
  const { thingPrincipals, policyTargets } = state;
  const notify = (target: string, event: RegistryChange['event'], fallback: RegistryChange) =>
    world.changed({ ...(changedBy(target) ?? fallback), event });
  return {
    attachThingPrincipal: (thing, principal) => {
      checkPrincipal(principal, state, ['cert']);
      found(state.things.get(thing), 'thing', thing);
      if (thingPrincipals.add(thing, principal))
        notify(principal, 'attached', { kind: 'thing', name: thing, event: 'attached' });
    },
    detachThingPrincipal: (thing, principal) => {
      found(state.things.get(thing), 'thing', thing);
      if (!thingPrincipals.remove(thing, principal))
        throw notFound(`principal of thing "${thing}"`, principal);
      notify(principal, 'detached', { kind: 'thing', name: thing, event: 'detached' });
    },
    principalsOf: (thing) => {
      found(state.things.get(thing), 'thing', thing);
      return thingPrincipals.rightsOf(thing);
    },
    thingsOfPrincipal: (principal) => thingPrincipals.leftsOf(principal),
    attachPolicy: (policy, target) => {
      found(state.policies.get(policy), 'policy', policy);
      checkPrincipal(target, state, ['cert', 'thinggroup']);
      if (policyTargets.has(policy, target)) return;
      if (policyTargets.leftsOf(target).length >= POLICY_LIMITS.perPrincipal)
        throw new RegistryError(
          'LimitExceededException',
          `${target} has ${POLICY_LIMITS.perPrincipal} policies, which is the most`,
        );
      policyTargets.add(policy, target);
      notify(target, 'attached', { kind: 'policy', name: policy, event: 'attached' });
    },
    detachPolicy: (policy, target) => {
      found(state.policies.get(policy), 'policy', policy);
      checkPrincipal(target, state, ['cert', 'thinggroup']);
      if (policyTargets.remove(policy, target))
        notify(target, 'detached', { kind: 'policy', name: policy, event: 'detached' });
    },
    policiesAttachedTo: (target, recursive = false) => {
      const targets = recursive ? [target, ...groupsAbove(target, state, world)] : [target];
      return [...new Set(targets.flatMap(policyTargets.leftsOf))];
    },
    targetsOf: (policy) => {
      found(state.policies.get(policy), 'policy', policy);
      return policyTargets.rightsOf(policy);
    },
  };
}

/** Certificate or group behind an ARN, as the one that changed. */
function changedBy(target: string): RegistryChange | undefined {
  const [, type, name = ''] = ARN.exec(target) ?? [];
  if (type === undefined) return undefined;
  return { kind: type === 'cert' ? 'certificate' : 'thingGroup', name, event: 'attached' };
}

function groupsAbove(
  target: string,
  state: RegistryState,
  world: RegistryWorld,
): readonly string[] {
  const [, type, name = ''] = ARN.exec(target) ?? [];
  const parent = type === 'thinggroup' ? state.thingGroups.get(name)?.parentGroupName : undefined;
  if (parent === undefined) return [];
  const above = world.arn.thingGroup(parent);
  return [above, ...groupsAbove(above, state, world)];
}

function checkPrincipal(
  principal: string,
  state: RegistryState,
  types: readonly ('cert' | 'thinggroup')[],
): void {
  if (COGNITO_IDENTITY.test(principal)) return;
  const [, type, name = ''] = ARN.exec(principal) ?? [];
  if (!types.some((each) => each === type))
    throw new RegistryError(
      'InvalidRequestException',
      `"${principal}" is neither a Cognito identity nor the ARN of a ${types.join(' or ')}`,
    );
  if (type === 'cert') found(state.certificates.get(name), 'certificate', name);
  else found(state.thingGroups.get(name), 'thing group', name);
}
