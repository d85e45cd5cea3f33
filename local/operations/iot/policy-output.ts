import type { Registry } from '../../stores/registry.ts';

export const policyEntry = ({ arn }: Registry, policyName: string) => ({
  policyName,
  policyArn: arn.policy(policyName),
});
