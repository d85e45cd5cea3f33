import * as z from 'zod';
import {
  compilePolicies,
  type Decision,
  decide,
  type PolicyContext,
  type PolicySource,
  unresolvedVariables,
} from '../../core/policy/index.ts';
import { found } from '../../core/registry/index.ts';
import type { Registry } from '../../stores/registry.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members, principalResource } from './iot-call.ts';
import { policyEntry } from './policy-output.ts';
import { viewOf } from './principal-policies.ts';

const ACTIONS = {
  PUBLISH: 'iot:Publish',
  SUBSCRIBE: 'iot:Subscribe',
  RECEIVE: 'iot:Receive',
  CONNECT: 'iot:Connect',
} as const;

const AuthInfo = members({
  actionType: z.enum(['PUBLISH', 'SUBSCRIBE', 'RECEIVE', 'CONNECT']),
  resources: z.array(z.string()).min(1),
});
type AuthInfo = z.infer<typeof AuthInfo>;

const Input = members({
  authInfos: z.array(AuthInfo).min(1).max(10),
  principal: z.string().optional(),
  clientId: z.string().optional(),
  policyNamesToAdd: z.array(z.string()).optional(),
  policyNamesToSkip: z.array(z.string()).optional(),
});
type Input = z.infer<typeof Input>;

export const testAuthorization = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'TestAuthorization',
    http: 'POST /test-authorization',
    input: Input,
    on: ({ principal = '*' }) => principalResource(principal),
    run: (input) => {
      const { policies, context } = considered(registry, input);
      return {
        authResults: input.authInfos.map((info) => test(registry, policies, context, info)),
      };
    },
  });

function considered(registry: Registry, input: Input) {
  const { principal, clientId, policyNamesToAdd = [], policyNamesToSkip = [] } = input;
  const view = viewOf(registry, principal, clientId);
  const added = policyNamesToAdd.map(
    (name): PolicySource => ({
      name,
      document: JSON.parse(found(registry.defaultDocument(name), 'policy', name)),
    }),
  );
  const policies = [...view.policies, ...added];
  return {
    policies: policies.filter(({ name }) => !policyNamesToSkip.includes(name)),
    context: view.context,
  };
}

/** Several resources are allowed together or not at all. */
function test(
  registry: Registry,
  sources: readonly PolicySource[],
  context: PolicyContext,
  info: AuthInfo,
) {
  const policies = compilePolicies(sources, 'iot');
  const decisions = info.resources.map((resource) =>
    decide(policies, { action: ACTIONS[info.actionType], resource, context }),
  );
  const entries = (reason: Decision['reason']) =>
    [
      ...new Set(
        decisions.filter((each) => each.reason === reason).flatMap(({ policy }) => policy ?? []),
      ),
    ].map((name) => policyEntry(registry, name));
  const refused = decisions.find(({ allowed }) => !allowed);
  return {
    authInfo: info,
    allowed: { policies: entries('allowed') },
    denied: {
      implicitDeny: { policies: [] },
      explicitDeny: { policies: entries('explicit-deny') },
    },
    authDecision: decisionOf(decisions),
    missingContextValues:
      refused === undefined ? [] : unresolvedVariables(policies, ACTIONS[info.actionType], context),
  };
}

function decisionOf(decisions: readonly Decision[]): 'ALLOWED' | 'EXPLICIT_DENY' | 'IMPLICIT_DENY' {
  if (decisions.some(({ reason }) => reason === 'explicit-deny')) return 'EXPLICIT_DENY';
  return decisions.every(({ allowed }) => allowed) ? 'ALLOWED' : 'IMPLICIT_DENY';
}
