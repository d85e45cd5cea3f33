import * as z from 'zod';
import {
  type CompiledPolicies,
  compilePolicies,
  type Decision,
  decide,
  HINTS,
  type PolicyContext,
} from '../core/policy/index.ts';
import { type ResolvedStack, resolveTemplate } from '../core/template/index.ts';
import { BootError, ofType, propertiesOf } from './resources.ts';
import { loadRoles } from './roles.ts';

/** A question to the policies of a template. */
export interface Asked {
  /** The name of an IoT policy, a function or a role. */
  readonly principal: string;
  readonly action: string;
  /** An ARN, or what follows the account in one of AWS IoT. */
  readonly resource: string;
  readonly thing?: string;
  readonly fleet: string;
  /** The thing's name unless told otherwise. */
  readonly clientId?: string;
  readonly overHttps: boolean;
  readonly connectAttributes: readonly string[];
  /** Further variables and condition keys. */
  readonly context: PolicyContext;
}

export class UnknownPrincipal extends Error {
  override readonly name = 'UnknownPrincipal';
}

const PLACE = { accountId: '000000000000', region: 'eu-central-1', partition: 'aws' } as const;

/**
 * What the template's policies say, without anything running.
 *
 * @param template  as `sls package` compiled it
 * @throws {UnknownPrincipal}
 * @throws {BootError} for a template that cannot be resolved
 */
export function explainAccess(template: unknown, asked: Asked) {
  const stack = stackOf(template);
  const { policies, isDevice } = policiesOf(stack, asked.principal);
  const resource = asked.resource.startsWith('arn:')
    ? asked.resource
    : `arn:aws:${asked.action.split(':')[0]}:${PLACE.region}:${PLACE.accountId}:${asked.resource}`;
  const context = isDevice ? deviceContext(asked) : asked.context;
  const { action } = asked;
  const decision = decide(policies, { action, resource, context });
  return { action, resource, ...plain(decision) };
}

/** Names that `explainAccess` knows. */
export const principalsOf = (template: unknown): string[] => {
  const stack = stackOf(template);
  return ['AWS::IoT::Policy', 'AWS::Lambda::Function', 'AWS::IAM::Role'].flatMap((type) =>
    ofType(stack, type).map(({ name }) => name),
  );
};

const plain = ({ allowed, reason, policy, statement, explanation, fix, variables }: Decision) => ({
  allowed,
  reason,
  explanation,
  variables,
  ...(policy !== undefined && { policy }),
  ...(statement !== undefined && { statement }),
  ...(fix !== undefined && { fix }),
});

function stackOf(template: unknown): ResolvedStack {
  const stack = resolveTemplate(template, { ...PLACE, stackName: 'tributary' });
  if (stack.problems.length > 0) throw new BootError(stack.problems);
  return stack;
}

const Named = z.object({ PolicyDocument: z.unknown() });
const RoleOwner = z.object({ Role: z.string() });

function policiesOf(
  stack: ResolvedStack,
  principal: string,
): { readonly policies: CompiledPolicies; readonly isDevice: boolean } {
  const device = ofType(stack, 'AWS::IoT::Policy').find(({ name }) => name === principal);
  if (device !== undefined) {
    const { PolicyDocument } = propertiesOf(device, Named);
    const document: unknown =
      typeof PolicyDocument === 'string' ? JSON.parse(PolicyDocument) : PolicyDocument;
    return { policies: compilePolicies([{ name: principal, document }], 'iot'), isDevice: true };
  }
  const arn = roleOf(stack, principal);
  if (arn === undefined) throw new UnknownPrincipal(principal);
  return { policies: loadRoles(stack).policiesOf(arn), isDevice: false };
}

/** By the role's own name, or by that of a function, whole or its last part. */
function roleOf(stack: ResolvedStack, principal: string): string | undefined {
  const role = ofType(stack, 'AWS::IAM::Role').find(
    ({ name, arn }) => name === principal || arn === principal,
  );
  if (role !== undefined) return role.arn;
  const called = ofType(stack, 'AWS::Lambda::Function').find(
    ({ name }) => name === principal || name.endsWith(`-${principal}`),
  );
  return called === undefined ? undefined : propertiesOf(called, RoleOwner).Role;
}

/** What a connection with the certificate of that thing would bring. */
function deviceContext(asked: Asked): PolicyContext {
  const { thing, fleet, overHttps, connectAttributes } = asked;
  const clientId = overHttps ? undefined : (asked.clientId ?? thing);
  const isAttached = thing !== undefined && clientId === thing;
  return {
    'iot:Certificate.Subject.Organization': fleet,
    ...(thing !== undefined && {
      'iot:Certificate.Subject.CommonName': thing,
      [HINTS.attachedThings]: [thing],
    }),
    ...(clientId !== undefined && {
      'iot:ClientId': clientId,
      'iot:Connection.Thing.IsAttached': String(isAttached),
    }),
    ...(isAttached && {
      'iot:Connection.Thing.ThingName': thing,
      'iot:Connection.Thing.Attributes[fleet]': fleet,
    }),
    ...(asked.action === 'iot:Connect' &&
      connectAttributes.length > 0 && { 'iot:ConnectAttributes': connectAttributes }),
    ...asked.context,
  };
}
