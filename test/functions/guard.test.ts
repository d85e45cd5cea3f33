import { describe, expect, it } from '@jest/globals';
import { type GuardDeps, guard } from '../../functions/guard/guard.ts';
import type { ConnectionStatus } from '../../shared/adapters/security/connection-table.ts';
import type { Kept } from '../../shared/adapters/security/guard-table.ts';
import { DEFAULT_PROFILES } from '../../shared/core/security/default-profiles.ts';
import { decodeState, encodeState, NEW_DEVICE } from '../../shared/core/security/device-state.ts';
import { Finding } from '../../shared/core/security/finding.ts';
import type { Counters, Presence } from '../../shared/core/security/signal.ts';
import { memoryLetters } from '../support/security-world.ts';
import { streamRecord } from '../support/stream-events.ts';

const T0 = 1_790_000_100_000;
const INVOKED = 'arn:aws:lambda:eu-central-1:000000000000:function:tributary-dev-guard';

function setup(changes: Partial<GuardDeps> = {}) {
  const rows = new Map<string, { upTo: string; kept: string }>();
  const published: Finding[] = [];
  const arns = new Set<string>();
  const statuses = new Map<string, ConnectionStatus>();
  const { letters, deadLetters } = memoryLetters();
  const faults = { publish: false, save: false };
  const deps: GuardDeps = {
    profiles: DEFAULT_PROFILES,
    fleets: {
      fleetsOf: async (things) => ({
        known: new Map(things.filter((one) => one.startsWith('probe')).map((one) => [one, 'acme'])),
        failures: [],
      }),
    },
    devices: {
      load: async (things) => ({
        kept: new Map(
          things.map((thing): [string, Kept] => {
            const row = rows.get(thing);
            if (row === undefined) return [thing, { state: NEW_DEVICE, unpublished: [] }];
            const [state, unpublished] = JSON.parse(row.kept);
            return [thing, { state: decodeState(state), unpublished }];
          }),
        ),
        failures: [],
      }),
      silent: async function* (bucket, sinceMs) {
        const things = [...rows].filter(([, { kept }]) => {
          const [text, unpublished]: [string, unknown[]] = JSON.parse(kept);
          const { latestMs, progress } = decodeState(text);
          const isInAlarm = [...progress.values()].some(({ alarm }) => alarm !== undefined);
          return latestMs < sinceMs && (isInAlarm || unpublished.length > 0);
        });
        if (bucket === 0) yield things.map(([thing]) => thing);
      },
      save: async (thing, { state, unpublished }, before) => {
        if (faults.save || (rows.get(thing)?.upTo ?? '') !== before) {
          return [{ item: thing, reason: 'faster' }];
        }
        const kept = JSON.stringify([encodeState(state), unpublished]);
        rows.set(thing, { upTo: state.upTo, kept });
        return [];
      },
    },
    connections: {
      save: async (some) => {
        for (const one of some) statuses.set(one.thing, one);
        return [];
      },
    },
    statistics: { histogram: async () => new Map(), add: async () => {} },
    findings: {
      publish: async (arn, items) => {
        arns.add(arn);
        if (faults.publish) return items.map((item) => ({ item, reason: 'throttled' }));
        published.push(...items.map(({ body }) => Finding.parse(JSON.parse(body))));
        return [];
      },
    },
    findingsTopic: 'tributary-dev-findings',
    deadLetters,
    log: () => {},
    now: () => T0 + 86_400_000,
    ...changes,
  };
  let sequence = 100;
  const record = (signal: object, partitionKey = 'probe-1') => {
    sequence += 1;
    return streamRecord('signals', String(sequence), { partitionKey, data: signal });
  };
  const run = async (...Records: ReturnType<typeof record>[]) => {
    const { batchItemFailures } = await guard(deps)(
      { Records },
      { getRemainingTimeInMillis: () => 60_000, invokedFunctionArn: INVOKED },
    );
    return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  };
  const sweep = () =>
    guard(deps)(
      { tick: 'sweep' },
      { getRemainingTimeInMillis: () => 60_000, invokedFunctionArn: INVOKED },
    );
  const found = () =>
    published.map(({ thingName, behavior, violationEventType }) => [
      thingName,
      behavior.name,
      violationEventType,
    ]);
  return { run, record, sweep, published, found, arns, statuses, letters, faults, rows };
}

const counters = (changes: Partial<Counters> = {}): Counters => ({
  v: 1,
  source: 'counters',
  function: 'ingest',
  thing: 'probe-1',
  fleet: 'acme',
  from: '1',
  to: '10',
  atMs: T0,
  messages: 10,
  bytes: 1_000,
  malformed: 0,
  largestBytes: 100,
  ...changes,
});

const presence = (eventType: Presence['eventType'], changes: Partial<Presence> = {}): Presence => ({
  v: 1,
  source: 'presence',
  eventType,
  clientId: 'probe-1',
  timestamp: T0,
  sessionIdentifier: 's-1',
  versionNumber: 0,
  ...changes,
});

describe('guard', () => {
  it('finds a flood, and says so on the topic of where it runs', async () => {
    const { run, record, published, arns } = setup();
    await expect(run(record(counters({ messages: 301 })))).resolves.toEqual([]);
    expect(published).toMatchObject([
      {
        thingName: 'probe-1',
        behavior: { name: 'messages-sent', metric: 'aws:num-messages-sent' },
        metricValue: { count: 301 },
        securityProfileName: 'tributary-fleet',
      },
    ]);
    expect([...arns]).toEqual(['arn:aws:sns:eu-central-1:000000000000:tributary-dev-findings']);
  });

  it.each([
    ['messages too large', counters({ largestBytes: 40_000 }), 'message-size'],
    ['malformed payloads', counters({ malformed: 11 }), 'malformed-payloads'],
    ['frames again', counters({ function: 'decode', radio: { repeats: 1 } }), 'repeated-frames'],
    ['forged frames', counters({ function: 'decode', radio: { micFailures: 1 } }), 'mic-failures'],
  ])('finds %s', async (_what, signal, behavior) => {
    const { run, record, found } = setup();
    await run(record(signal));
    expect(found()).toEqual([['probe-1', behavior, 'in-alarm']]);
  });

  it.each([
    ['failures to authorize', 'connect_failed', undefined, 6, 'authorization-failures'],
    [
      'two devices with one identity',
      'disconnected',
      'DUPLICATE_CLIENTID',
      3,
      'duplicate-client-ids',
    ],
    ['forbidden publishes', 'disconnected', 'AUTH_ERROR', 4, 'forbidden-accesses'],
  ] as const)('finds %s', async (_what, eventType, disconnectReason, count, behavior) => {
    const { run, record, found } = setup();
    const events = Array.from({ length: count }, (_, at) =>
      record(
        presence(eventType, {
          timestamp: T0 + at,
          sessionIdentifier: `s-${at}`,
          ...(disconnectReason === undefined ? {} : { disconnectReason }),
        }),
      ),
    );
    await run(...events);
    expect(found()).toEqual([['probe-1', behavior, 'in-alarm']]);
  });

  it('counts a lifecycle event that comes twice once', async () => {
    const { run, record, found } = setup();
    const event = presence('connect_failed');
    await run(...Array.from({ length: 20 }, () => record(event)));
    expect(found()).toEqual([]);
  });

  it('counts a batch that comes again once, however it is cut', async () => {
    const { run, record, found } = setup();
    const [one, two] = [
      record(counters({ messages: 151 })),
      record(counters({ from: '5', messages: 151 })),
    ];
    await run(one, two);
    await run(one, two);
    await run(two);
    expect(found()).toEqual([]);
  });

  it('publishes what it found when it could not the first time, and the same', async () => {
    const { run, record, published, faults, rows } = setup();
    const flood = record(counters({ messages: 301 }));
    faults.publish = true;
    await expect(run(flood)).resolves.toEqual(['101']);
    faults.publish = false;
    await expect(run(flood)).resolves.toEqual([]);
    await expect(run(flood)).resolves.toEqual([]);
    expect(published).toHaveLength(1);
    expect(JSON.parse(rows.get('probe-1')?.kept ?? '')[1]).toEqual([]);
  });

  it('stops a device that another container has moved on, and others go on', async () => {
    const { run, record, faults, found } = setup();
    faults.save = true;
    await expect(run(record(counters({ messages: 301 })))).resolves.toEqual(['101']);
    expect(found()).toEqual([]);
  });

  it('knows who is connected, in whatever order it is told', async () => {
    const { run, record, statuses } = setup();
    const gone = presence('disconnected', {
      timestamp: T0 + 2,
      disconnectReason: 'CONNECTION_LOST',
    });
    await run(record(gone), record(presence('connected')));
    expect(statuses.get('probe-1')).toEqual({
      thing: 'probe-1',
      connected: false,
      sinceMs: T0 + 2,
      reason: 'CONNECTION_LOST',
    });
  });

  it.each([
    ['UNKNOWN_SOURCE', { v: 1, source: 'gossip' }],
    ['UNSUPPORTED_VERSION', { ...counters(), v: 2 }],
    ['MALFORMED_SIGNAL', counters({ messages: -1 })],
    [
      'MALFORMED_PAYLOAD',
      { v: 1, source: 'report', topic: 'report/acme/probe-1', data: 'eyJ9', receivedAtMs: T0 },
    ],
    [
      'MALFORMED_TOPIC',
      { v: 1, source: 'report', topic: 'report/acme/a b', data: 'e30=', receivedAtMs: T0 },
    ],
  ])('dead-letters a signal as %s', async (code, signal) => {
    const { run, record, letters } = setup();
    await expect(run(record(signal))).resolves.toEqual([]);
    expect(letters).toMatchObject([{ function: 'guard', code }]);
  });

  it('reads the report of a device, long names or short', async () => {
    const profiles = [
      {
        securityProfileName: 'ports',
        targets: ['all/things'],
        behaviors: [
          {
            name: 'tcp',
            metric: 'aws:listening-tcp-ports',
            criteria: {
              comparisonOperator: 'in-port-set' as const,
              value: { ports: [22] },
              consecutiveDatapointsToAlarm: 1,
              consecutiveDatapointsToClear: 1,
            },
          },
        ],
      },
    ];
    const report = (topic: string, value: object) => ({
      v: 1,
      source: 'report',
      topic,
      data: Buffer.from(JSON.stringify(value)).toString('base64'),
      receivedAtMs: T0,
    });
    const { run, record, published } = setup({ profiles });
    const long = {
      header: { report_id: 1, version: '1.0' },
      metrics: { listening_tcp_ports: { ports: [{ interface: 'eth0', port: 23 }], total: 1 } },
    };
    const short = { hed: { rid: 1, v: '1.0' }, met: { tp: { pts: [{ if: 'eth0', pt: 2323 }] } } };
    await run(
      record(report('report/acme/probe-1', long)),
      record(report('$aws/things/probe-2/defender/metrics/json', short), 'probe-2'),
    );
    expect(published.map(({ thingName, metricValue }) => [thingName, metricValue])).toEqual([
      ['probe-1', { ports: [23] }],
      ['probe-2', { ports: [2323] }],
    ]);
  });

  it('makes one finding a device of a storm of reconnects, and keeps little of each', async () => {
    const { run, record, found, rows } = setup();
    for (let device = 0; device < 200; device += 1) {
      const thing = `probe-${device}`;
      await run(
        ...Array.from({ length: 40 }, (_, at) =>
          record(
            presence(at % 2 === 0 ? 'connected' : 'disconnected', {
              clientId: thing,
              timestamp: T0 + at * 1_000,
              sessionIdentifier: `s-${at}`,
            }),
            thing,
          ),
        ),
      );
    }
    expect(found()).toHaveLength(400);
    const sizes = [...rows.values()].map(({ kept }) => JSON.parse(kept)[0].length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(512);
  });
});

describe('a device in alarm that falls silent', () => {
  it('is cleared where silence is none of what it did too much of', async () => {
    const clock = { nowMs: T0 + 1_000 };
    const { run, record, sweep, found } = setup({ now: () => clock.nowMs });
    await run(record(counters({ messages: 301 })));
    clock.nowMs = T0 + 540_000;
    await sweep();
    expect(found()).toHaveLength(1);
    clock.nowMs = T0 + 700_000;
    await sweep();
    expect(found()).toEqual([
      ['probe-1', 'messages-sent', 'in-alarm'],
      ['probe-1', 'messages-sent', 'alarm-cleared'],
    ]);
    await sweep();
    expect(found()).toHaveLength(2);
  });

  it('is forgotten after an hour where each message would be a datapoint', async () => {
    const clock = { nowMs: T0 + 1_000 };
    const { run, record, sweep, found } = setup({ now: () => clock.nowMs });
    await run(record(counters({ largestBytes: 40_000 })));
    clock.nowMs = T0 + 1_800_000;
    await sweep();
    expect(found()).toHaveLength(1);
    clock.nowMs = T0 + 3_700_000;
    await sweep();
    expect(found().at(-1)).toEqual(['probe-1', 'message-size', 'alarm-invalidated']);
  });

  it('and whose events were only late alarms anew', async () => {
    const clock = { nowMs: T0 + 1_000 };
    const { run, record, sweep, found } = setup({ now: () => clock.nowMs });
    await run(record(counters({ messages: 301 })));
    clock.nowMs = T0 + 700_000;
    await sweep();
    const late = counters({ messages: 400, from: '11', to: '20', atMs: T0 + 300_000 });
    await run(record(late));
    expect(found().map(([, , type]) => type)).toEqual(['in-alarm', 'alarm-cleared', 'in-alarm']);
  });

  it('gets the finding out that the batch could not publish', async () => {
    const clock = { nowMs: T0 + 1_000 };
    const { run, record, sweep, found, faults } = setup({ now: () => clock.nowMs });
    faults.publish = true;
    await run(record(counters({ messages: 301 })));
    faults.publish = false;
    expect(found()).toEqual([]);
    clock.nowMs = T0 + 700_000;
    await sweep();
    expect(found().map(([, , type]) => type)).toEqual(['in-alarm', 'alarm-cleared']);
  });
});
