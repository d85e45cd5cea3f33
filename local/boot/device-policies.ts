import * as z from 'zod';
import type { ResolvedStack } from '../core/template/index.ts';
import type { Registry } from '../stores/registry.ts';
import { ofType, propertiesOf } from './resources.ts';

const PolicyProperties = z.object({
  PolicyName: z.string(),
  PolicyDocument: z.union([z.string(), z.looseObject({})]),
});

/** Gives the registry the template's IoT policies; one that changed since the last boot gets a new default version. */
export function declarePolicies(stack: ResolvedStack, registry: Registry): void {
  for (const resource of ofType(stack, 'AWS::IoT::Policy')) {
    const { PolicyName, PolicyDocument } = propertiesOf(resource, PolicyProperties);
    const document =
      typeof PolicyDocument === 'string' ? PolicyDocument : JSON.stringify(PolicyDocument);
    if (registry.policy(PolicyName) === undefined) registry.createPolicy(PolicyName, document);
    else if (registry.defaultDocument(PolicyName) !== document)
      replaceDocument(registry, PolicyName, document);
  }
}

/** As CloudFormation does it: the new version becomes the default, and the one before makes room. */
function replaceDocument(registry: Registry, policyName: string, document: string): void {
  const before = registry.policy(policyName)?.defaultVersionId;
  registry.createPolicyVersion(policyName, document, true);
  if (before !== undefined) registry.deletePolicyVersion(policyName, before);
}
