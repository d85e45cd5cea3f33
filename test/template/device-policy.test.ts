import { describe, expect, it } from '@jest/globals';
import { EVERYTHING } from '../support/everything.ts';
import { packageService, resourcesOf } from '../support/template.ts';
import { statementsOf, text } from './statements.ts';

/** @see AWS IoT Core quotas, policy document size: 2,048 characters without white space. */
const LIMIT_CHARS = 2048;

const policiesOf = (stage: string, params: Readonly<Record<string, string>>): unknown[] =>
  resourcesOf(packageService({ stage, params }).template, 'AWS::IoT::Policy')
    .filter(([id]) => id.startsWith('Device'))
    .map(([, { Properties }]) => Properties?.['PolicyDocument']);

const policyOf = (stage: string) => {
  const { template } = packageService({ stage });
  const policies = resourcesOf(template, 'AWS::IoT::Policy');
  return { template, document: policies[0]?.[1].Properties?.['PolicyDocument'] };
};

const deployedIn = (value: unknown, partition: string, region: string): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && 'Fn::Sub' in member ? text(member) : member,
  )
    .replaceAll('<AWS::Partition>', partition)
    .replaceAll('<AWS::Region>', region)
    .replaceAll('<AWS::AccountId>', '000000000000');

describe('the policy of devices', () => {
  it.each([
    { partition: 'aws', region: 'ap-southeast-2' },
    { partition: 'aws-us-gov', region: 'us-gov-west-1' },
  ])('is short enough in $region, for the longest names, and when it is pinned', (where) => {
    const { partition, region } = where;
    const whole = policiesOf('prod', {});
    const apart = policiesOf('prod', EVERYTHING);
    expect([whole.length, apart.length]).toEqual([1, 2]);
    for (const document of [...whole, ...apart]) {
      const text = deployedIn(document, partition, region)
        .replaceAll('prod', 's'.repeat(16))
        .replaceAll('devices.example.com', 'd'.repeat(64));
      expect(text.replace(/\s/g, '').length).toBeLessThanOrEqual(LIMIT_CHARS);
    }
  });

  it('keeps the variables of IoT, which are no variables of the packager', () => {
    const { document } = policyOf('dev');
    const variables = deployedIn(document, 'aws', 'eu-central-1').matchAll(/\$\{([^}]*)\}/g);
    expect(new Set([...variables].map(([, name]) => name))).toEqual(
      new Set([
        'iot:Certificate.Subject.CommonName',
        'iot:Certificate.Subject.Organization',
        'iot:Connection.Thing.Attributes[fleet]',
        'iot:Connection.Thing.ThingName',
      ]),
    );
  });

  it('lets a thing connect only as itself, and only if the certificate is attached to it', () => {
    const { template } = policyOf('dev');
    const connects = statementsOf(template).filter(({ actions }) =>
      actions.includes('iot:Connect'),
    );
    expect(connects).toHaveLength(1);
    expect(connects[0]?.conditions.get('Bool iot:Connection.Thing.IsAttached')).toEqual(['true']);
  });

  it.each(['topic/dt', 'topic/report', 'topic/$aws/rules/tributary_dev_telemetry/dt'])(
    'grants %s by thing for MQTT and by certificate for HTTPS',
    (prefix) => {
      const { template } = policyOf('dev');
      const granted = statementsOf(template)
        .filter(({ actions }) => actions.includes('iot:Publish'))
        .flatMap(({ resources }) => resources)
        .filter((resource) => resource.includes(`:${prefix}/`));
      expect(granted.map((resource) => resource.split('/').at(-1) === '*')).toHaveLength(2);
      expect(granted.filter((resource) => resource.includes('iot:Certificate'))).toHaveLength(1);
    },
  );
});
