import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { compilePolicies, countedLength, decide } from '../../../../local/core/policy/index.ts';
import { deviceDocuments, type Place } from '../../../../shared/core/access/device-documents.ts';
import { RefusedError } from '../../../../shared/core/access/refused.ts';

const PLACE: Place = {
  partition: 'aws',
  region: 'eu-central-1',
  accountId: '000000000000',
  stage: 'dev',
  domains: [],
};

const compiled = (thing: string, fleet: string, place: Place = PLACE) =>
  compilePolicies(
    deviceDocuments({ thing, fleet }, place, false).map((document, at) => ({
      name: `document ${at}`,
      document,
    })),
    'iot',
  );

const allows = (
  policies: ReturnType<typeof compiled>,
  action: string,
  resource: string,
  context: Record<string, string | readonly string[]> = {},
): boolean =>
  decide(policies, {
    action: `iot:${action}`,
    resource: `arn:aws:iot:eu-central-1:000000000000:${resource}`,
    context,
  }).allowed;

describe('the documents of a device', () => {
  const policies = compiled('probe-1', 'acme');

  it.each([
    { may: true, action: 'Connect', resource: 'client/probe-1' },
    { may: true, action: 'Publish', resource: 'topic/dt/acme/probe-1/telemetry' },
    { may: true, action: 'Publish', resource: 'topic/dt/acme/probe-1/status' },
    { may: true, action: 'Publish', resource: 'topic/report/acme/probe-1' },
    {
      may: true,
      action: 'Publish',
      resource: 'topic/$aws/rules/tributary_dev_telemetry/dt/acme/probe-1/status',
    },
    { may: true, action: 'Subscribe', resource: 'topicfilter/cmd/acme/probe-1/#' },
    { may: true, action: 'Receive', resource: 'topic/cmd/acme/probe-1/reboot' },
    { may: false, action: 'Connect', resource: 'client/probe-2' },
    { may: false, action: 'Publish', resource: 'topic/dt/acme/probe-2/telemetry' },
    { may: false, action: 'Publish', resource: 'topic/dt/acme/probe-1/other' },
    { may: false, action: 'Publish', resource: 'topic/cmd/acme/probe-1/reboot' },
    {
      may: false,
      action: 'Publish',
      resource: 'topic/$aws/rules/tributary_dev_registration/dt/acme/probe-1/status',
    },
    { may: false, action: 'RetainPublish', resource: 'topic/dt/acme/probe-1/telemetry' },
    { may: false, action: 'Subscribe', resource: 'topicfilter/cmd/acme/+/reboot' },
    { may: false, action: 'Subscribe', resource: 'topicfilter/#' },
    { may: false, action: 'Receive', resource: 'topic/cmd/acme/probe-2/reboot' },
  ])('$action $resource: $may', ({ may, action, resource }) => {
    expect(allows(policies, action, resource)).toBe(may);
  });

  it('of a device in quarantine let it connect and read, and publish nothing', () => {
    const documents = deviceDocuments({ thing: 'probe-1', fleet: 'acme' }, PLACE, true);
    const held = compilePolicies(
      documents.map((document, at) => ({ name: String(at), document })),
      'iot',
    );
    expect(allows(held, 'Connect', 'client/probe-1')).toBe(true);
    expect(allows(held, 'Subscribe', 'topicfilter/alert/acme/probe-1')).toBe(true);
    expect(allows(held, 'Receive', 'topic/alert/acme/probe-1')).toBe(true);
    expect(allows(held, 'Publish', 'topic/dt/acme/probe-1/telemetry')).toBe(false);
    expect(allows(held, 'Publish', 'topic/report/acme/probe-1')).toBe(false);
  });

  it('hold on the pinned domains only, where there are any', () => {
    const pinned = compiled('probe-1', 'acme', { ...PLACE, domains: ['wss.example.com'] });
    const through = (name: string) =>
      allows(pinned, 'Connect', 'client/probe-1', { 'iot:DomainName': name });
    expect([through('wss.example.com'), through('mqtt.example.com')]).toEqual([true, false]);
    expect(allows(pinned, 'Publish', 'topic/dt/acme/probe-1/status')).toBe(false);
  });

  it('fit their quotas, for the longest names in the longest region', () => {
    const place = { ...PLACE, partition: 'aws-us-gov', region: 'us-gov-west-1' };
    const domains = ['mqtt', 'wss', 'https'].map((name) => `custom-${name}.${'d'.repeat(60)}.com`);
    const documents = deviceDocuments(
      { thing: 't'.repeat(64), fleet: 'f'.repeat(64) },
      { ...place, stage: 's'.repeat(16), domains },
      false,
    );
    expect(documents.length).toBeLessThanOrEqual(10);
    for (const document of documents) expect(countedLength(document)).toBeLessThanOrEqual(2048);
  });
});

/** Text as somebody would write it who wants to be more than one device. */
const claim = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/),
  fc
    .array(
      fc.constantFrom('*', '?', '$', '{', '}', '/', '+', '#', '"', '\\', '.', ':', 'a', 'b', '\n'),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '$'.concat('{iot:ClientId}'),
    '$'.concat('{*}'),
    '*/*',
    'b","Resource":"*',
    '__proto__',
  ),
  fc.string({ maxLength: 8, unit: 'binary' }),
);

/** Actions and resources of another device, of another fleet, and of nobody. */
const foreign = (thing: string, fleet: string): readonly (readonly [string, string])[] => {
  const others = [`${fleet}/victim`, `victims/${thing}`, 'victims/victim', `${fleet}/${thing}/x`];
  return [
    ['Connect', 'client/victim'],
    ...others.flatMap((other): (readonly [string, string])[] => [
      ['Publish', `topic/dt/${other}/telemetry`],
      ['Publish', `topic/report/${other}`],
      ['Publish', `topic/$aws/rules/tributary_dev_telemetry/dt/${other}/telemetry`],
      ['Subscribe', `topicfilter/cmd/${other}/#`.replace(`${fleet}/${thing}/x`, `${fleet}/+`)],
      ['Receive', `topic/cmd/victims/victim/reboot`],
    ]),
    ['Publish', 'topic/$aws/rules/tributary_dev_registration/x'],
    ['Publish', 'topic/$aws/events/presence/connected/victim'],
    ['Subscribe', 'topicfilter/#'],
    ['Subscribe', 'topicfilter/+/+/+/+'],
    ['Receive', 'topic/dt/victims/victim/telemetry'],
  ];
};

describe('a claim, whatever it holds,', () => {
  it('never widens what a device may do', () => {
    const outcomes = { accepted: 0, refused: 0 };
    void fc.assert(
      fc.property(claim, claim, (thing, fleet) => {
        const policies = tryCompile(thing, fleet);
        outcomes[policies === undefined ? 'refused' : 'accepted'] += 1;
        if (policies === undefined) return;
        const context = { 'iot:ClientId': 'victim' };
        for (const [action, resource] of foreign(thing, fleet)) {
          expect({ action, resource, may: allows(policies, action, resource, context) }).toEqual({
            action,
            resource,
            may: false,
          });
        }
        expect(allows(policies, 'Publish', `topic/dt/${fleet}/${thing}/telemetry`)).toBe(true);
      }),
      { numRuns: 2_000, seed: 20_260_921 },
    );
    expect(outcomes.accepted).toBeGreaterThan(100);
    expect(outcomes.refused).toBeGreaterThan(1_000);
  });

  function tryCompile(thing: string, fleet: string) {
    try {
      return compiled(thing, fleet);
    } catch (error) {
      if (error instanceof RefusedError) return undefined;
      throw error;
    }
  }
});
