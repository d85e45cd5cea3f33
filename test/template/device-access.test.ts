import { describe, expect, it } from '@jest/globals';
import { compilePolicies, decide, lintPolicy } from '../../local/core/policy/index.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { packageService } from '../support/template.ts';

const STACK = {
  accountId: '000000000000',
  region: 'eu-central-1',
  partition: 'aws',
  stackName: 'tributary-dev',
};
const arn = (resource: string): string => `arn:aws:iot:eu-central-1:000000000000:${resource}`;

const resolved = resolveTemplate(packageService().template, STACK);
const document = resolved.resources.get('DevicePolicy')?.properties['PolicyDocument'];
const source = { name: 'tributary-dev-device', document };
const policies = compilePolicies([source], 'iot');

const certificate = {
  'iot:Certificate.Subject.CommonName': 'probe-1',
  'iot:Certificate.Subject.Organization': 'acme',
};
const attached = {
  'iot:ClientId': 'probe-1',
  'iot:Connection.Thing.ThingName': 'probe-1',
  'iot:Connection.Thing.Attributes[fleet]': 'acme',
  'iot:Connection.Thing.IsAttached': 'true',
};
const overMqtt = { ...certificate, ...attached };
const overHttps = certificate;

const BASIC_INGEST = '$aws/rules/tributary_dev_telemetry';

it('has a policy in which an audit would find nothing', () => {
  expect(lintPolicy(source)).toEqual([]);
});

describe('a device, over MQTT,', () => {
  it.each([
    { may: true, action: 'Connect', resource: 'client/probe-1' },
    { may: false, action: 'Connect', resource: 'client/probe-2' },
    { may: true, action: 'Publish', resource: 'topic/dt/acme/probe-1/telemetry' },
    { may: true, action: 'Publish', resource: 'topic/dt/acme/probe-1/status' },
    { may: true, action: 'Publish', resource: 'topic/report/acme/probe-1' },
    { may: true, action: 'Publish', resource: `topic/${BASIC_INGEST}/dt/acme/probe-1/telemetry` },
    { may: false, action: 'Publish', resource: 'topic/dt/acme/probe-2/telemetry' },
    { may: false, action: 'Publish', resource: 'topic/dt/other/probe-1/telemetry' },
    { may: false, action: 'Publish', resource: 'topic/dt/acme/probe-10/telemetry' },
    { may: false, action: 'Publish', resource: `topic/${BASIC_INGEST}/dt/acme/probe-2/telemetry` },
    {
      may: false,
      action: 'Publish',
      resource: 'topic/$aws/rules/tributary_dev_lorawan/dt/acme/probe-1/telemetry',
    },
    { may: false, action: 'Publish', resource: 'topic/$aws/events/presence/connected/probe-1' },
    { may: false, action: 'Publish', resource: 'topic/cmd/acme/probe-1/reboot' },
    { may: false, action: 'Publish', resource: 'topic/alert/acme/probe-1' },
    { may: false, action: 'RetainPublish', resource: 'topic/dt/acme/probe-1/telemetry' },
    { may: true, action: 'Subscribe', resource: 'topicfilter/cmd/acme/probe-1/#' },
    { may: true, action: 'Subscribe', resource: 'topicfilter/cmd/acme/probe-1/reboot' },
    { may: true, action: 'Subscribe', resource: 'topicfilter/alert/acme/probe-1' },
    { may: false, action: 'Subscribe', resource: 'topicfilter/cmd/acme/+/reboot' },
    { may: false, action: 'Subscribe', resource: 'topicfilter/#' },
    { may: false, action: 'Subscribe', resource: 'topicfilter/dt/acme/probe-1/telemetry' },
    { may: true, action: 'Receive', resource: 'topic/cmd/acme/probe-1/reboot' },
    { may: true, action: 'Receive', resource: 'topic/alert/acme/probe-1' },
    { may: false, action: 'Receive', resource: 'topic/cmd/acme/probe-2/reboot' },
  ])('$action $resource: $may', ({ may, action, resource }) => {
    const { allowed, explanation } = decide(policies, {
      action: `iot:${action}`,
      resource: arn(resource),
      context: overMqtt,
    });
    expect({ allowed, explanation }).toMatchObject({ allowed: may });
  });

  it.each([
    { wish: 'a persistent session', attributes: ['PersistentConnect'] },
    { wish: 'a Will', attributes: ['LastWill'] },
    { wish: 'both', attributes: ['PersistentConnect', 'LastWill'] },
  ])('may connect with $wish', ({ attributes }) => {
    const context = { ...overMqtt, 'iot:ConnectAttributes': attributes };
    const asked = { action: 'iot:Connect', resource: arn('client/probe-1'), context };
    expect(decide(policies, asked).allowed).toBe(true);
  });

  it('may not connect as a thing that its certificate is not attached to', () => {
    const context = { ...overMqtt, 'iot:Connection.Thing.IsAttached': 'false' };
    const asked = { action: 'iot:Connect', resource: arn('client/probe-1'), context };
    expect(decide(policies, asked).allowed).toBe(false);
  });
});

describe('a device, over HTTPS,', () => {
  it.each([
    { may: true, resource: 'topic/dt/acme/probe-1/telemetry' },
    { may: true, resource: 'topic/report/acme/probe-1' },
    { may: true, resource: `topic/${BASIC_INGEST}/dt/acme/probe-1/telemetry` },
    { may: false, resource: 'topic/dt/acme/probe-2/telemetry' },
    { may: false, resource: 'topic/dt/other/probe-1/telemetry' },
  ])('publishes to $resource: $may', ({ may, resource }) => {
    const asked = { action: 'iot:Publish', resource: arn(resource), context: overHttps };
    expect(decide(policies, asked).allowed).toBe(may);
  });

  it.each(['*', 'probe-1/telemetry#', '$aws', '+'])(
    'gains nothing by the common name %s',
    (name) => {
      const context = { ...certificate, 'iot:Certificate.Subject.CommonName': name };
      const asked = {
        action: 'iot:Publish',
        resource: arn('topic/dt/acme/probe-2/telemetry'),
        context,
      };
      expect(decide(policies, asked).allowed).toBe(false);
    },
  );
});
