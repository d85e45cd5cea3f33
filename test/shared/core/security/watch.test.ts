import { describe, expect, it } from '@jest/globals';
import { DEFAULT_PROFILES } from '../../../../shared/core/security/default-profiles.ts';
import {
  type DeviceState,
  decodeState,
  encodeState,
  NEW_DEVICE,
} from '../../../../shared/core/security/device-state.ts';
import { Finding } from '../../../../shared/core/security/finding.ts';
import type { Observation } from '../../../../shared/core/security/observation.ts';
import { activeBehaviors, SecurityProfile } from '../../../../shared/core/security/profile.ts';
import { watch } from '../../../../shared/core/security/watch.ts';

const T0 = 1_790_000_100_000; // the beginning of a window of five minutes
const MINUTE = 60_000;

const profileOf = (metric: string, criteria: object) =>
  SecurityProfile.parse({
    securityProfileName: 'p',
    targets: ['all/things'],
    behaviors: [{ name: 'b', metric, criteria }],
  });

function world(metric: string, criteria: object) {
  const behaviors = activeBehaviors([profileOf(metric, criteria)], { fleet: 'acme' });
  let state: DeviceState = NEW_DEVICE;
  const percentile = { at: undefined as number | undefined };
  const see = (...observations: Observation[]) => {
    const nowMs = T0 + 100 * 24 * 60 * MINUTE;
    const outcome = watch(state, observations, {
      thing: 'probe-1',
      behaviors,
      nowMs,
      percentile: () => percentile.at,
    });
    // as between two batches
    state = decodeState(encodeState(outcome.state));
    for (const finding of outcome.findings) Finding.parse(finding);
    return outcome.findings.map(({ violationEventType: type, metricValue }) => [
      type,
      metricValue?.count ?? metricValue,
    ]);
  };
  const sent = (atMs: number, count: number) =>
    see({ metric: 'aws:num-messages-sent', atMs, count });
  return { see, sent, percentile, state: () => state };
}

const atMost = (count: number, more: object = {}) => ({
  comparisonOperator: 'less-than-equals',
  value: { count },
  durationSeconds: 300,
  ...more,
});

describe('a behaviour of a sum', () => {
  it('alarms at once when the bound is passed, and once', () => {
    const { sent } = world('aws:num-messages-sent', atMost(10));
    expect(sent(T0, 10)).toEqual([]);
    expect(sent(T0 + 1, 1)).toEqual([['in-alarm', 11]]);
    expect(sent(T0 + 2, 100)).toEqual([]);
    expect(sent(T0 + 5 * MINUTE, 100)).toEqual([]);
  });

  it('clears when a window is over in which it was kept', () => {
    const { sent } = world('aws:num-messages-sent', atMost(10));
    sent(T0, 11);
    expect(sent(T0 + 5 * MINUTE, 1)).toEqual([]);
    expect(sent(T0 + 11 * MINUTE, 1)).toEqual([['alarm-cleared', 1]]);
  });

  it('waits for the datapoints that it takes to alarm and to clear', () => {
    const criteria = atMost(10, {
      consecutiveDatapointsToAlarm: 2,
      consecutiveDatapointsToClear: 3,
    });
    const { sent } = world('aws:num-messages-sent', criteria);
    const windows = [11, 1, 11, 11, 1, 1, 11, 1, 1, 1, 1];
    const findings = windows.flatMap((count, at) => sent(T0 + at * 5 * MINUTE + MINUTE, count));
    expect(findings).toEqual([
      ['in-alarm', 11],
      ['alarm-cleared', 1],
    ]);
  });

  it.each([
    { late: 'within a minute of the window', atMs: T0 + 5.5 * MINUTE, findings: [] },
    { late: 'after it', atMs: T0 + 6.5 * MINUTE, findings: [] },
  ])('takes an event by its own time, $late', ({ atMs, findings }) => {
    const { sent } = world('aws:num-messages-sent', atMost(10));
    sent(T0 + 1, 6);
    expect(sent(atMs, 6)).toEqual(findings);
    const late = sent(T0 + 4 * MINUTE, 6);
    const settled = sent(T0 + 7 * MINUTE, 1);
    expect([...late, ...settled]).toEqual(atMs < T0 + 6 * MINUTE ? [['in-alarm', 12]] : []);
  });

  it('counts windows in which nothing happened', () => {
    const { sent } = world(
      'aws:num-messages-sent',
      atMost(10, { consecutiveDatapointsToClear: 3 }),
    );
    sent(T0, 11);
    expect(sent(T0 + 30 * MINUTE, 1)).toEqual([['alarm-cleared', 0]]);
  });

  it('finds too little when a window is over, and not before', () => {
    const { sent } = world('aws:num-messages-sent', {
      comparisonOperator: 'greater-than',
      value: { count: 5 },
      durationSeconds: 300,
    });
    expect(sent(T0, 1)).toEqual([]);
    expect(sent(T0 + 5 * MINUTE + 1, 9)).toEqual([]);
    expect(sent(T0 + 6 * MINUTE, 1)).toEqual([['in-alarm', 1]]);
  });

  it('says nothing where alerts are suppressed', () => {
    const [profile] = [profileOf('aws:num-messages-sent', atMost(1))];
    const behaviors = activeBehaviors([profile], { fleet: 'acme' }).map((active) => ({
      ...active,
      behavior: { ...active.behavior, suppressAlerts: true },
    }));
    const { findings } = watch(
      NEW_DEVICE,
      [{ metric: 'aws:num-messages-sent', atMs: T0, count: 9 }],
      { thing: 'probe-1', behaviors, nowMs: T0 },
    );
    expect(findings).toEqual([]);
  });

  it('invalidates the alarm of a behaviour that is expected no more', () => {
    const { sent, state } = world('aws:num-messages-sent', atMost(10));
    sent(T0, 11);
    const { findings } = watch(state(), [], { thing: 'probe-1', behaviors: [], nowMs: T0 });
    expect(findings).toMatchObject([
      { violationEventType: 'alarm-invalidated', behavior: { name: 'b' }, violationEventTime: T0 },
    ]);
  });

  it('believes no time that is yet to come', () => {
    const behaviors = activeBehaviors([profileOf('aws:num-messages-sent', atMost(10))], {
      fleet: 'acme',
    });
    const { state } = watch(
      NEW_DEVICE,
      [{ metric: 'aws:num-messages-sent', atMs: T0 + 1e9, count: 1 }],
      { thing: 'probe-1', behaviors, nowMs: T0 },
    );
    expect(state.latestMs).toBe(T0);
  });
});

describe('a behaviour of each observation', () => {
  it('alarms on a payload that is too large', () => {
    const { see } = world('aws:message-byte-size', {
      comparisonOperator: 'less-than-equals',
      value: { count: 100 },
    });
    const size = (count: number) => see({ metric: 'aws:message-byte-size', atMs: T0, count });
    expect(size(100)).toEqual([]);
    expect(size(101)).toEqual([['in-alarm', 101]]);
    expect(size(99)).toEqual([['alarm-cleared', 99]]);
  });

  it.each([
    ['in-cidr-set', '203.0.113.9', []],
    ['in-cidr-set', '198.51.100.1', [['in-alarm', { cidrs: ['198.51.100.1'] }]]],
    ['not-in-cidr-set', '2001:db8::5', [['in-alarm', { cidrs: ['2001:db8::5'] }]]],
    ['not-in-cidr-set', '2001:db9::5', []],
  ])('holds an address against a set, %s %s', (comparisonOperator, address, findings) => {
    const { see } = world('aws:source-ip-address', {
      comparisonOperator,
      value: { cidrs: ['203.0.113.0/24', '2001:db8::/32'] },
    });
    expect(see({ metric: 'aws:source-ip-address', atMs: T0, addresses: [address] })).toEqual(
      findings,
    );
  });
});

describe('thresholds that are not written down', () => {
  it('compare with the fleet, once enough of it is known', () => {
    const { sent, percentile } = world('aws:num-messages-sent', {
      comparisonOperator: 'less-than-equals',
      statisticalThreshold: { statistic: 'p99' },
      durationSeconds: 300,
    });
    expect(sent(T0, 40)).toEqual([]);
    percentile.at = 50;
    expect(sent(T0 + 5 * MINUTE, 51)).toEqual([['in-alarm', 51]]);
  });

  it('compare with what the device did before', () => {
    const { sent } = world('aws:num-messages-sent', {
      mlDetectionConfig: { confidenceLevel: 'HIGH' },
      durationSeconds: 300,
    });
    const usual = Array.from({ length: 60 }, (_, at) =>
      sent(T0 + at * 5 * MINUTE, 50 + (at % 7)),
    ).flat();
    expect(usual).toEqual([]);
    expect(sent(T0 + 300 * MINUTE, 2_000)).toEqual([['in-alarm', 2_000]]);
  });
});

describe('the default profiles', () => {
  it('are profiles', () => {
    for (const profile of DEFAULT_PROFILES) expect(SecurityProfile.parse(profile)).toEqual(profile);
  });

  it('take no more than 512 bytes of a device that does all of it', () => {
    const behaviors = activeBehaviors(DEFAULT_PROFILES, { fleet: 'acme' });
    const { state } = watch(
      { ...NEW_DEVICE, upTo: '4'.repeat(56), counted: { ingest: '4'.repeat(56), decode: '' } },
      behaviors.map(({ behavior }) => ({
        metric: behavior.metric as Observation['metric'],
        atMs: T0,
        count: 2,
      })),
      { thing: 'probe-1', behaviors, nowMs: T0 },
    );
    const bytes = Buffer.byteLength(encodeState({ ...state, progress: new Map() }));
    expect(bytes).toBeLessThanOrEqual(512);
  });
});

describe('a security profile', () => {
  it.each([
    ['aws:num-messages-received', atMost(1), 'are told by IoT logs only'],
    ['aws:nonsense', atMost(1), 'is not among the metrics'],
    ['aws:num-messages-sent', { ...atMost(1), durationSeconds: undefined }, 'is wanted'],
    ['aws:num-messages-sent', atMost(1, { durationSeconds: 60 }), 'Invalid'],
    ['aws:message-byte-size', atMost(1), 'is not for'],
    [
      'aws:source-ip-address',
      { comparisonOperator: 'in-cidr-set', value: { cidrs: ['300.1.1.1/8'] } },
      'wants address/bits',
    ],
    [
      'aws:source-ip-address',
      { comparisonOperator: 'less-than', value: { cidrs: [] } },
      'wants in-cidr-set',
    ],
    [
      'aws:num-disconnects',
      { durationSeconds: 300, comparisonOperator: 'less-than' },
      'wants one of',
    ],
    ['aws:num-disconnects', atMost(1, { consecutiveDatapointsToAlarm: 11 }), 'expected number'],
  ])('of %s is refused with what would be right', (metric, criteria, problem) => {
    expect(() => profileOf(metric, criteria)).toThrow(problem);
  });

  it.each([
    { fleet: 'acme', names: ['everybody', 'known', 'acme'] },
    { fleet: 'bolt', names: ['everybody', 'known'] },
    { fleet: undefined, names: ['everybody', 'strangers'] },
  ])('is for the targets it names: $fleet', ({ fleet, names }) => {
    const one = (securityProfileName: string, target: string) =>
      SecurityProfile.parse({
        securityProfileName,
        targets: [target],
        behaviors: [{ name: 'b', metric: 'aws:num-disconnects', criteria: atMost(1) }],
      });
    const profiles = [
      one('everybody', 'all/things'),
      one('known', 'all/registered-things'),
      one('strangers', 'all/unregistered-things'),
      one('acme', 'thinggroup/acme'),
    ];
    expect(activeBehaviors(profiles, { fleet }).map(({ profile }) => profile)).toEqual(names);
  });
});

describe('the state of a device', () => {
  it('is the same behind its text, with all there can be in it', () => {
    const state: DeviceState = {
      upTo: '5'.repeat(56),
      counted: { ingest: '', decode: '7'.repeat(56) },
      latestMs: T0,
      windows: new Map([
        ['ms300', { index: 5_966_670, value: 0, before: 12 }],
        ['by3600', { index: 497_222, value: 1e12, before: undefined }],
      ]),
      progress: new Map([
        ['p/b:1', { breaches: 2, clears: 1, alarm: 'a'.repeat(32), early: 5, learned: undefined }],
        [
          'p/c',
          {
            breaches: 1,
            clears: 0,
            alarm: undefined,
            early: undefined,
            learned: { count: 40, mean: -1.25, squares: 0.0001 },
          },
        ],
      ]),
      recent: ['a-_b12', 'zzzzzz'],
      connection: { connected: false, atMs: T0 - 1 },
    };
    expect(decodeState(encodeState(state))).toEqual(state);
    expect(decodeState(encodeState(NEW_DEVICE))).toEqual(NEW_DEVICE);
  });

  it('of another version is not read', () => {
    expect(() => decodeState('[1,"5"]')).toThrow('of another version');
  });
});
