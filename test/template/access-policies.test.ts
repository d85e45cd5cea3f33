import { describe, expect, it } from '@jest/globals';
import { compilePolicies, decide, lintPolicy } from '../../local/core/policy/index.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';
import { statementsOf } from './statements.ts';

const { resources } = resolveTemplate(
  packageService({ stage: 'prod', params: EVERYTHING }).template,
  { accountId: '000000000000', region: 'eu-central-1', partition: 'aws', stackName: 'prod' },
);
const sourceOf = (id: string) => ({
  name: id,
  document: resources.get(id)?.properties['PolicyDocument'],
});
const arn = (resource: string): string => `arn:aws:iot:eu-central-1:000000000000:${resource}`;

const asking =
  (ids: readonly string[], always: Readonly<Record<string, string>>) =>
  (action: string, resource: string, context: Readonly<Record<string, string>> = {}): boolean =>
    decide(compilePolicies(ids.map(sourceOf), 'iot'), {
      action: `iot:${action}`,
      resource: arn(resource),
      context: { ...always, ...context },
    }).allowed;

describe('the policy of dashboards', () => {
  const identity = 'eu-central-1:7d5f6f0e-6a3c-4bd0-9df2-3b0f7f6f7d20';
  const may = asking(['DashboardPolicy'], {
    'iot:ClientId': identity,
    'iot:Connection.Thing.ThingName': identity,
    'iot:Connection.Thing.Attributes[fleet]': 'acme',
    'iot:Connection.Thing.IsAttached': 'true',
    'iot:DomainName': 'sigv4-wss.devices.example.com',
  });

  it.each([
    { allowed: true, action: 'Connect', resource: `client/${identity}` },
    { allowed: true, action: 'Subscribe', resource: 'topicfilter/dt/acme/+/telemetry' },
    { allowed: true, action: 'Subscribe', resource: 'topicfilter/dt/acme/+/status' },
    { allowed: true, action: 'Subscribe', resource: 'topicfilter/alert/acme/+' },
    { allowed: true, action: 'Receive', resource: 'topic/dt/acme/probe-1/telemetry' },
    { allowed: true, action: 'Subscribe', resource: 'topicfilter/an/acme/+' },
    { allowed: true, action: 'Receive', resource: 'topic/alert/acme/probe-1' },
    { allowed: true, action: 'Receive', resource: 'topic/an/acme/probe-1' },
    { allowed: false, action: 'Connect', resource: 'client/probe-1' },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/dt/+/+/telemetry' },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/dt/acme/#' },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/#' },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/dt/globex/+/telemetry' },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/an/globex/+' },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/cmd/acme/+/reboot' },
    { allowed: false, action: 'Receive', resource: 'topic/dt/globex/probe-1/telemetry' },
    { allowed: false, action: 'Receive', resource: 'topic/cmd/acme/probe-1/reboot' },
    { allowed: false, action: 'Publish', resource: 'topic/dt/acme/probe-1/telemetry' },
    { allowed: false, action: 'Publish', resource: 'topic/cmd/acme/probe-1/reboot' },
    { allowed: false, action: 'Publish', resource: 'topic/an/acme/probe-1' },
  ])('$action $resource: $allowed', ({ allowed, action, resource }) => {
    expect(may(action, resource)).toBe(allowed);
  });

  it('takes nobody who came by another domain, or whose thing is not his', () => {
    const client = `client/${identity}`;
    expect(may('Connect', client, { 'iot:DomainName': 'x509-mqtt.devices.example.com' })).toBe(
      false,
    );
    expect(may('Connect', client, { 'iot:Connection.Thing.IsAttached': 'false' })).toBe(false);
  });
});

describe('the policy of claims', () => {
  const may = asking(['ClaimPolicy'], { 'iot:ClientId': 'claim-SN-1' });
  const provision = '$aws/provisioning-templates/tributary-prod-claim/provision/json';
  const certificates = '$aws/certificates/create-from-csr/json';

  it.each([
    { allowed: true, action: 'Connect', resource: 'client/claim-SN-1' },
    { allowed: true, action: 'Publish', resource: `topic/${certificates}` },
    { allowed: true, action: 'Publish', resource: `topic/${provision}` },
    { allowed: true, action: 'Subscribe', resource: `topicfilter/${certificates}/accepted` },
    { allowed: true, action: 'Receive', resource: `topic/${provision}/rejected` },
    { allowed: false, action: 'Connect', resource: 'client/probe-1' },
    { allowed: false, action: 'Publish', resource: 'topic/$aws/certificates/create/json' },
    {
      allowed: false,
      action: 'Publish',
      resource: 'topic/$aws/provisioning-templates/other/provision/json',
    },
    { allowed: false, action: 'Publish', resource: 'topic/dt/acme/probe-1/telemetry' },
    {
      allowed: false,
      action: 'Publish',
      resource: 'topic/$aws/events/certificates/registered/x',
    },
    { allowed: false, action: 'Subscribe', resource: 'topicfilter/$aws/#' },
    { allowed: false, action: 'Subscribe', resource: `topicfilter/${certificates}/#` },
  ])('$action $resource: $allowed', ({ allowed, action, resource }) => {
    expect(may(action, resource)).toBe(allowed);
  });
});

describe('a device whose ways in are pinned', () => {
  const thing = {
    'iot:ClientId': 'probe-1',
    'iot:Connection.Thing.ThingName': 'probe-1',
    'iot:Connection.Thing.Attributes[fleet]': 'acme',
    'iot:Connection.Thing.IsAttached': 'true',
  };
  const subject = {
    'iot:Certificate.Subject.CommonName': 'probe-1',
    'iot:Certificate.Subject.Organization': 'acme',
  };
  const may = asking(['DevicePolicy', 'DeviceHttpsPolicy'], {});
  const through = (name: string) => ({ 'iot:DomainName': `${name}.devices.example.com` });

  it.each([
    { way: 'x509-mqtt', connects: true, publishes: false },
    { way: 'x509-https', connects: false, publishes: true },
    { way: 'custom-x509-mqtt', connects: true, publishes: false },
    { way: 'custom-x509-https', connects: false, publishes: true },
    { way: 'custom-mqtt', connects: false, publishes: false },
  ])('connects by $way: $connects, publishes over HTTPS by it: $publishes', (given) => {
    const { way, connects, publishes } = given;
    expect(may('Connect', 'client/probe-1', { ...thing, ...through(way) })).toBe(connects);
    const topic = 'topic/dt/acme/probe-1/telemetry';
    expect(may('Publish', topic, { ...subject, ...through(way) })).toBe(publishes);
  });

  it('has no way in without an authorizer, where only domains are on that ask one', () => {
    const params = { customX509MqttDomain: 'enabled', customX509HttpsDomain: 'enabled' };
    const statements = statementsOf(packageService({ stage: 'prod', params }).template)
      .filter(({ resourceId }) => /^Device(?:Https)?Policy$/.test(resourceId))
      .filter(
        ({ actions, resources }) =>
          actions.includes('iot:Connect') ||
          resources.some((resource) => resource.includes('iot:Certificate')),
      );
    expect(
      statements.map(({ conditions }) => conditions.get('StringEquals iot:DomainName')),
    ).toEqual([
      ['custom-x509-mqtt.devices.example.com'],
      ['custom-x509-https.devices.example.com'],
    ]);
  });
});

describe('an audit', () => {
  const POLICIES = [...resources.values()]
    .filter(({ type }) => type === 'AWS::IoT::Policy')
    .map(({ logicalId }) => logicalId);

  it('finds nothing in the policies of devices', () => {
    for (const id of ['DevicePolicy', 'DeviceHttpsPolicy']) {
      expect(lintPolicy(sourceOf(id))).toEqual([]);
    }
  });

  it('finds nothing in any other, but for what the two below are for', () => {
    const others = POLICIES.filter((id) => id !== 'DashboardPolicy' && id !== 'ClaimPolicy');
    expect(others).toContain('QuarantinePolicy');
    expect(others.flatMap((id) => lintPolicy(sourceOf(id)))).toEqual([]);
  });

  it('finds of the policy of dashboards that it watches more than one device, which is its purpose', () => {
    const findings = lintPolicy(sourceOf('DashboardPolicy'));
    expect(new Set(findings.map(({ resource = '' }) => resource.split(':').at(-1)))).toEqual(
      new Set([
        'Connection.Thing.Attributes[fleet]}/+/telemetry',
        'Connection.Thing.Attributes[fleet]}/+/status',
        'Connection.Thing.Attributes[fleet]}/+',
      ]),
    );
  });

  it('finds of the policy of claims that any claim connects, under names that no device has', () => {
    expect(lintPolicy(sourceOf('ClaimPolicy'))).toMatchObject([
      { check: 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK', resource: arn('client/claim-*') },
    ]);
  });
});
