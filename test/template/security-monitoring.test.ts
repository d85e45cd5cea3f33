import { expect, it } from '@jest/globals';
import { DEFAULT_PROFILES } from '../../shared/core/security/default-profiles.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';
import { statementsOf } from './statements.ts';

const { template } = packageService({ stage: 'prod', params: EVERYTHING });
const dev = packageService().template;

interface AwsBehavior {
  readonly Name: string;
  readonly Metric: string;
  readonly Criteria: {
    readonly ComparisonOperator: string;
    readonly Value: { readonly Count: string };
    readonly DurationSeconds?: number;
  };
}

it('the security profile of AWS expects what ours does, of the metrics that both have', () => {
  const { Behaviors = [] } = (template.Resources['FleetSecurityProfile']?.Properties ?? {}) as {
    Behaviors?: readonly AwsBehavior[];
  };
  const theirs = Behaviors.map(({ Name, Metric, Criteria }) => [
    Name,
    Metric,
    Criteria.ComparisonOperator,
    Number(Criteria.Value.Count),
    Criteria.DurationSeconds,
  ]);
  const ours = DEFAULT_PROFILES.flatMap(({ behaviors }) => behaviors)
    .filter(({ metric }) => metric.startsWith('aws:'))
    .map(({ name, metric, criteria }) => [
      name,
      metric,
      criteria.comparisonOperator,
      criteria.value?.count,
      criteria.durationSeconds,
    ]);
  expect(theirs).toEqual(ours);
});

it('only guard and Device Defender publish findings, and defend does not', () => {
  const topic = statementsOf(template).filter(({ where }) =>
    where.startsWith('FindingsTopicPolicy'),
  );
  const [denial] = topic.filter(({ conditions }) =>
    conditions.has('ArnNotEquals aws:PrincipalArn'),
  );
  expect(denial?.effect).toBe('Deny');
  const trusted = denial?.conditions.get('ArnNotEquals aws:PrincipalArn') ?? [];
  expect(trusted).toHaveLength(2);
  expect(trusted.join()).toMatch(/GuardRole.*-defender$/);
  const publishers = statementsOf(template)
    .filter(({ kind, effect }) => kind === 'permission' && effect === 'Allow')
    .filter(
      ({ actions, resources }) =>
        actions.includes('sns:Publish') && resources.includes('<FindingsTopic>'),
    )
    .map(({ resourceId }) => resourceId);
  expect(new Set(publishers)).toEqual(
    new Set(['GuardRole', 'DefenderRole', 'FindingsTopicPolicy']),
  );
});

it('a first deployment proposes, and has nothing that an account has once', () => {
  const variables = dev.Resources['DefendLambdaFunction']?.Properties?.['Environment'];
  expect(variables).toMatchObject({ Variables: { CONTAINMENT: 'propose' } });
  const types = Object.values(dev.Resources).map(({ Type }) => Type);
  for (const once of [
    'AWS::IoT::AccountAuditConfiguration',
    'AWS::CloudTrail::Trail',
    'AWS::IoT::SecurityProfile',
  ]) {
    expect(types).not.toContain(once);
  }
});
