import { describe, expect, it } from '@jest/globals';
import { type DefendDeps, defend } from '../../functions/defend/defend.ts';
import type { Published } from '../../shared/adapters/topic.ts';
import { BUDGET_LIMITS } from '../../shared/core/security/budget.ts';
import { DEFAULT_LADDER, type ThingFacts } from '../../shared/core/security/containment.ts';
import type { Finding } from '../../shared/core/security/finding.ts';
import { memoryContainment, memoryIncidents, memoryLetters } from '../support/security-world.ts';

const T0 = 1_790_000_000_000;
const ACCOUNT = '000000000000';
const TOPIC = `arn:aws:sns:eu-central-1:${ACCOUNT}:tributary-dev-findings`;
const INVOKED = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:tributary-dev-defend`;

const certificateOf = (thing: string): string => Buffer.from(thing).toString('hex').padEnd(64, '0');

const device = (thing: string, changes: Partial<ThingFacts> = {}): [string, ThingFacts] => [
  thing,
  {
    fleet: 'acme',
    criticality: 'normal',
    isGateway: false,
    certificates: [certificateOf(thing)],
    ...changes,
  },
];

function setup(changes: Partial<DefendDeps> = {}, things = [device('probe-1')]) {
  const clock = { nowMs: T0 };
  const { table, incidents, denials } = memoryIncidents();
  const { containment, acts, status } = memoryContainment(new Map(things));
  const { letters, deadLetters } = memoryLetters();
  const told: Published[] = [];
  const handle = defend({
    incidents: table,
    containment,
    notifications: {
      publish: async (_arn, items) => {
        told.push(...items);
        return [];
      },
    },
    announce: async () => {},
    findingsTopic: 'tributary-dev-findings',
    notificationsTopic: 'tributary-dev-notifications',
    quarantinePolicy: 'tributary-dev-quarantine',
    mode: 'contain',
    ladder: DEFAULT_LADDER,
    spared: new Set(),
    suppressed: new Set(),
    quietHours: { fromHour: 0, toHour: 0 },
    limits: BUDGET_LIMITS,
    alertsLimit: 50,
    deadLetters,
    log: () => {},
    now: () => clock.nowMs,
    ...changes,
  });
  let sent = 0;
  const nextId = () => {
    sent += 1;
    return `m-${sent}`;
  };
  const invoke = (messages: readonly Message[]) =>
    handle(queueEvent(messages, nextId), {
      getRemainingTimeInMillis: () => 60_000,
      invokedFunctionArn: INVOKED,
    });
  const run = (...findings: readonly Finding[]) =>
    invoke(findings.map((finding) => ({ message: JSON.stringify(finding) })));
  return { run, invoke, clock, incidents, denials, acts, status, letters, told, table };
}

interface Message {
  readonly message: string;
  readonly topic?: string;
  readonly account?: string;
}

const queueEvent = (messages: readonly Message[], id: () => string) => ({
  Records: messages.map(({ message, topic = TOPIC, account = ACCOUNT }) => ({
    messageId: id(),
    body: JSON.stringify({ Type: 'Notification', TopicArn: topic, Message: message }),
    eventSourceARN: `arn:aws:sqs:eu-central-1:${account}:tributary-dev-findings`,
  })),
});

const flood = (thing = 'probe-1', at = 0, changes: Partial<Finding> = {}): Finding => ({
  violationEventTime: T0 + at,
  thingName: thing,
  behavior: {
    name: 'messages-sent',
    metric: 'aws:num-messages-sent',
    criteria: { comparisonOperator: 'less-than-equals', value: { count: 300 } },
  },
  violationEventType: 'in-alarm',
  metricValue: { count: 400 },
  violationId: `${thing}-${at}`,
  securityProfileName: 'tributary-fleet',
  ...changes,
});

describe('a flood', () => {
  it('is one incident whose thing is cut off, and is told', async () => {
    const { run, incidents, acts, denials, told } = setup();
    await expect(run(flood())).resolves.toEqual({ batchItemFailures: [] });
    const [incident] = incidents.values();
    expect(incident).toMatchObject({
      cause: 'flood',
      state: 'contained',
      fleet: 'acme',
      containment: { rung: 'cut-off', state: 'done' },
    });
    const id = certificateOf('probe-1').slice(0, 12);
    expect(acts).toEqual([
      'recorded the denial of probe-1',
      `attached the quarantine policy to certificate ${id}…`,
      `set certificate ${id}… INACTIVE`,
      'ended the session of probe-1',
    ]);
    expect(denials.get('probe-1')).toMatchObject({
      incidentId: incident?.id,
      certificates: [{ id: certificateOf('probe-1'), active: true }],
    });
    expect(told).toHaveLength(1);
    expect(told[0]?.body).toContain(`npm run incident -- release ${incident?.id}`);
  });

  it('is proposed to be contained, and is not, until that is switched on', async () => {
    const { run, incidents, acts, denials, told } = setup({ mode: 'propose' });
    await run(flood());
    expect([...incidents.values()]).toMatchObject([
      { state: 'open', containment: { rung: 'cut-off', state: 'proposed' } },
    ]);
    expect(acts).toEqual([]);
    expect(denials.size).toBe(0);
    expect(told[0]?.body).toContain('proposed and not switched on');
  });

  it('has one effect when it is delivered again, in the same batch and in others at once', async () => {
    const { run, incidents, acts, told } = setup();
    await Promise.all(Array.from({ length: 20 }, () => run(flood(), flood())));
    await run(flood());
    expect([...incidents.values()]).toMatchObject([{ count: 1, episode: 1 }]);
    expect(acts).toHaveLength(4);
    expect(told).toHaveLength(1);
  });

  it('is not undone when its alarm ends', async () => {
    const { run, incidents } = setup();
    await run(flood());
    await run(flood('probe-1', 0, { violationEventType: 'alarm-cleared' }));
    expect([...incidents.values()]).toMatchObject([{ state: 'contained' }]);
  });

  it('whose end comes first contains nobody', async () => {
    const { run, incidents, acts } = setup();
    await run(flood('probe-1', 0, { violationEventType: 'alarm-cleared' }));
    await run(flood());
    expect([...incidents.values()]).toMatchObject([{ state: 'closed', count: 1 }]);
    expect(acts).toEqual([]);
  });

  it('takes a certificate that was inactive before for no work of its own', async () => {
    const { run, denials, status } = setup();
    status.set(certificateOf('probe-1'), false);
    await run(flood());
    expect(denials.get('probe-1')?.certificates).toMatchObject([{ active: false }]);
  });

  it('is finished by the next container when one dies between two acts', async () => {
    const world = setup();
    const { containment, acts } = memoryContainment(new Map([device('probe-1')]));
    let dies = true;
    const { run, incidents, clock } = setup({
      incidents: world.table,
      containment: {
        ...containment,
        perform: async (step, place, timeLeft) => {
          if (dies && step.act === 'disconnect') throw new Error('killed');
          await containment.perform(step, place, timeLeft);
        },
      },
    });
    expect((await run(flood())).batchItemFailures).toHaveLength(1);
    dies = false;
    clock.nowMs += 360_000;
    await run(flood());
    expect([...world.incidents.values()]).toMatchObject([{ state: 'contained', count: 1 }]);
    expect(world.denials.get('probe-1')?.certificates).toMatchObject([{ active: true }]);
    expect(acts.filter((act) => act.startsWith('ended'))).toHaveLength(1);
    expect(incidents.size).toBe(0);
  });
});

describe('nobody is contained', () => {
  it.each([
    ['who does not exist', {}, []],
    ['who is a gateway', {}, [device('probe-1', { isGateway: true })]],
    ['who is to be spared', { spared: new Set(['probe-1']) }, [device('probe-1')]],
    [
      'for a behaviour that is suppressed',
      { suppressed: new Set(['messages-sent']) },
      [device('probe-1')],
    ],
    ['where the ladder ends at telling', { ladder: {} }, [device('probe-1')]],
  ])('%s', async (_who, changes, things) => {
    const { run, incidents, acts, denials } = setup(changes, things);
    await run(flood());
    expect(incidents.size).toBe(1);
    expect(acts).toEqual([]);
    expect(denials.size).toBe(0);
  });

  it.each([
    [
      'a forged topic',
      { topic: `arn:aws:sns:eu-central-1:${ACCOUNT}:other` },
      'FOREIGN_NOTIFICATION',
    ],
    [
      'a topic of another account',
      { topic: TOPIC.replace(ACCOUNT, '111111111111') },
      'FOREIGN_NOTIFICATION',
    ],
    ['a queue of another account', { account: '111111111111' }, 'FOREIGN_NOTIFICATION'],
    ['a shape that is not known', { message: '{"hello":1}' }, 'MALFORMED_NOTIFICATION'],
    ['no JSON', { message: 'flood!' }, 'MALFORMED_RECORD'],
  ])('because of %s, which goes to the dead letters', async (_what, changes, code) => {
    const { invoke, incidents, acts, letters } = setup();
    const outcome = await invoke([{ message: JSON.stringify(flood()), ...changes }]);
    expect(outcome).toEqual({ batchItemFailures: [] });
    expect(letters).toMatchObject([{ function: 'defend', code }]);
    expect(incidents.size).toBe(0);
    expect(acts).toEqual([]);
  });

  it('by whoever invokes the function with what is no event of its queue', async () => {
    const { acts } = setup();
    const handle = defend({} as DefendDeps);
    const invocation = { getRemainingTimeInMillis: () => 1_000, invokedFunctionArn: INVOKED };
    await expect(handle(flood(), invocation)).rejects.toThrow('not an event of a queue');
    expect(acts).toEqual([]);
  });
});

describe('a storm', () => {
  const things = Array.from({ length: 400 }, (_, at) => `probe-${at}`);
  const violations = Array.from({ length: 10_000 }, (_, at) =>
    flood(things[at % things.length], at * 6),
  );

  it.each(['contain', 'propose'] as const)(
    'of 10,000 violations in a minute contains few, each once, and accounts for all (%s)',
    async (mode) => {
      const { run, clock, incidents, acts, denials, told } = setup(
        { mode },
        things.map((thing, at) => device(thing, { fleet: `fleet-${at % 5}` })),
      );
      for (let at = 0; at < violations.length; at += 200) {
        clock.nowMs = T0 + at * 6;
        const batches = Array.from({ length: 20 }, (_, one) =>
          violations.slice(at + one * 10, at + one * 10 + 10),
        );
        await Promise.all(batches.map((batch) => run(...batch)));
        // and some of it is delivered again
        if (at % 1_000 === 0) await run(...(batches[0] ?? []));
      }
      const ended = acts.filter((act) => act.startsWith('ended the session'));
      expect(ended.length).toBeLessThanOrEqual(25);
      expect(new Set(ended).size).toBe(ended.length);
      expect(denials.size).toBe(ended.length);
      if (mode === 'contain') expect(ended.length).toBeGreaterThan(0);
      expect(incidents.size).toBe(400);
      const counted = [...incidents.values()].reduce((sum, { count }) => sum + count, 0);
      expect(counted).toBe(10_000);
      const stopped = told.filter(({ subject }) => subject?.includes('containment stopped'));
      expect(stopped).toHaveLength(1);
      expect(told.length).toBeLessThanOrEqual(53);
    },
    60_000,
  );

  it('of two causes contains a thing once', async () => {
    const { run, incidents, acts } = setup();
    const duplicates = flood('probe-1', 1, {
      behavior: { name: 'duplicate-client-ids', metric: 'tributary:num-duplicate-client-ids' },
    });
    await Promise.all([run(flood()), run(duplicates)]);
    expect(incidents.size).toBe(2);
    expect(acts.filter((act) => act.startsWith('ended'))).toHaveLength(1);
  });
});

describe('people', () => {
  it('are told of a state once', async () => {
    const { run, told } = setup({ mode: 'propose' });
    for (let at = 0; at < 100; at += 1) await run(flood('probe-1', at));
    expect(told).toHaveLength(1);
  });

  it('sleep in quiet hours, unless it is grave', async () => {
    const hour = new Date(T0).getUTCHours();
    const quietHours = { fromHour: hour, toHour: hour + 1 };
    const { run, told } = setup({ mode: 'propose', quietHours });
    await run(flood());
    expect(told).toEqual([]);
    await run(
      flood('probe-1', 1, {
        behavior: { name: 'x', metric: 'tributary:num-duplicate-client-ids' },
      }),
    );
    expect(told).toHaveLength(1);
  });
});
