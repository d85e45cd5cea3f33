import { describe, expect, it } from '@jest/globals';
import { defend } from '../../functions/defend/defend.ts';
import type { DefendDeps } from '../../functions/defend/run.ts';
import type { Finding } from '../../shared/core/security/finding.ts';
import { STORM_THINGS } from '../../shared/core/security/storm.ts';
import {
  ACCOUNT,
  certificateOf,
  defendWorld,
  device,
  flood,
  INVOKED,
  T0,
  TOPIC,
} from '../support/defend-world.ts';
import { memoryContainment } from '../support/security-world.ts';

describe('a flood', () => {
  it('is one incident whose thing is cut off, and is told', async () => {
    const { run, incidents, acts, denials, told } = defendWorld();
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
      `attached the quarantine policy to certificate ${id}…`,
      'told the device on alert/acme/probe-1',
      `set certificate ${id}… INACTIVE`,
      'ended the session of probe-1',
    ]);
    expect(incident?.actions[0]).toMatchObject({ did: 'denied probe-1: cut-off', by: 'defend' });
    expect(denials.get('probe-1')).toMatchObject({
      rung: 'cut-off',
      incidentId: incident?.id,
      certificates: [{ id: certificateOf('probe-1'), active: true }],
    });
    expect(told).toHaveLength(1);
    expect(told[0]?.body).toContain(`npm run incident -- release ${incident?.id}`);
  });

  it('is proposed to be contained, and is not, until that is switched on', async () => {
    const { run, incidents, acts, denials, told } = defendWorld({ mode: 'propose' });
    await run(flood());
    expect([...incidents.values()]).toMatchObject([
      { state: 'open', containment: { rung: 'cut-off', state: 'proposed' } },
    ]);
    expect(acts).toEqual([]);
    expect(denials.size).toBe(0);
    expect(told[0]?.body).toContain('proposed and not switched on');
  });

  it('has one effect when it is delivered again, in the same batch and in others at once', async () => {
    const { run, incidents, acts, told } = defendWorld();
    await Promise.all(Array.from({ length: 20 }, () => run(flood(), flood())));
    await run(flood());
    expect([...incidents.values()]).toMatchObject([{ count: 1, episode: 1 }]);
    expect(acts).toHaveLength(4);
    expect(told).toHaveLength(1);
  });

  it('with fields that nobody knows yet is a flood all the same', async () => {
    const { invoke, incidents, letters } = defendWorld();
    const message = JSON.stringify({ ...flood(), verificationState: 'UNKNOWN', more: { a: 1 } });
    await invoke([{ message }]);
    expect([...incidents.values()]).toMatchObject([{ cause: 'flood', state: 'contained' }]);
    expect(letters).toEqual([]);
  });

  it('is not undone when its alarm ends', async () => {
    const { run, incidents } = defendWorld();
    await run(flood());
    await run(flood('probe-1', 0, { violationEventType: 'alarm-cleared' }));
    expect([...incidents.values()]).toMatchObject([{ state: 'contained' }]);
  });

  it('whose end comes first contains nobody', async () => {
    const { run, incidents, acts } = defendWorld();
    await run(flood('probe-1', 0, { violationEventType: 'alarm-cleared' }));
    await run(flood());
    expect([...incidents.values()]).toMatchObject([{ state: 'closed', count: 1 }]);
    expect(acts).toEqual([]);
  });

  it('takes a certificate that was inactive before for no work of its own', async () => {
    const { run, denials, status } = defendWorld();
    status.set(certificateOf('probe-1'), false);
    await run(flood());
    expect(denials.get('probe-1')?.certificates).toMatchObject([{ active: false }]);
  });

  it('is finished by the next container when one dies between two acts', async () => {
    const world = defendWorld();
    const { containment, acts } = memoryContainment(new Map([device('probe-1')]));
    let dies = true;
    const { run, incidents, clock } = defendWorld({
      incidents: world.table,
      containment: {
        ...containment,
        perform: async (step, place, timeLeft) => {
          if (dies && step.act === 'disconnect') throw new Error('killed');
          return containment.perform(step, place, timeLeft);
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
    ['whose certificate others have as well', {}, [device('probe-1', { sharedWith: ['probe-2'] })]],
    ['who is to be spared', { spared: new Set(['probe-1']) }, [device('probe-1')]],
    [
      'for a behaviour that is suppressed',
      { suppressed: new Set(['messages-sent']) },
      [device('probe-1')],
    ],
    ['where the ladder ends at telling', { ladder: {} }, [device('probe-1')]],
  ])('%s', async (_who, changes, things) => {
    const { run, incidents, acts, denials } = defendWorld(changes, things);
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
    const { invoke, incidents, acts, letters } = defendWorld();
    const outcome = await invoke([{ message: JSON.stringify(flood()), ...changes }]);
    expect(outcome).toEqual({ batchItemFailures: [] });
    expect(letters).toMatchObject([{ function: 'defend', code }]);
    expect(incidents.size).toBe(0);
    expect(acts).toEqual([]);
  });

  it('for what its thing no longer has: a certificate that is gone', async () => {
    const world = memoryContainment(new Map([device('probe-1')]));
    const containment = { ...world.containment, isActive: async () => undefined };
    const { run, incidents, denials } = defendWorld({ containment });
    await run(flood());
    expect([...incidents.values()]).toMatchObject([{ state: 'contained' }]);
    expect(denials.get('probe-1')?.certificates).toEqual([]);
    expect(world.acts).toEqual([
      'told the device on alert/acme/probe-1',
      'ended the session of probe-1',
    ]);
  });

  it('by whoever invokes the function with what is no event of its queue', async () => {
    const { acts } = defendWorld();
    const handle = defend({ uuid: () => 'x' } as DefendDeps);
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
      const { run, clock, incidents, affected, acts, denials, told } = defendWorld(
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
      const own = [...incidents.values()].filter(({ subject }) => subject.kind === 'thing');
      expect(own).toHaveLength(STORM_THINGS);
      expect(incidents.size).toBe(STORM_THINGS + 1);
      const counted = own.reduce((sum, { count }) => sum + count, 0);
      const shared = [...affected.values()].reduce((sum, ids) => sum + ids.size, 0);
      expect(affected.size).toBe(400 - STORM_THINGS);
      expect(counted + shared).toBe(10_000);
      const stopped = told.filter(({ subject }) => subject?.includes('containment stopped'));
      expect(stopped).toHaveLength(1);
      expect(told.length).toBeLessThanOrEqual(53);
    },
    60_000,
  );

  it('of two causes contains a thing once', async () => {
    const { run, incidents, acts } = defendWorld();
    const duplicates = flood('probe-1', 1, {
      behavior: { name: 'duplicate-client-ids', metric: 'tributary:num-duplicate-client-ids' },
    });
    await Promise.all([run(flood()), run(duplicates)]);
    expect(incidents.size).toBe(2);
    expect(acts.filter((act) => act.startsWith('ended'))).toHaveLength(1);
  });
});

describe('two causes', () => {
  const big = (at = 1): Finding =>
    flood('probe-1', at, {
      behavior: { name: 'message-size', metric: 'aws:message-byte-size' },
    });

  it('raise quarantine to cut-off, under the incident that asks for more', async () => {
    const { run, incidents, denials, status } = defendWorld();
    await run(big());
    expect(denials.get('probe-1')?.rung).toBe('quarantine');
    expect(status.get(certificateOf('probe-1'))).toBeUndefined();
    await run(flood());
    const [oversize, flooding] = [...incidents.values()];
    expect(denials.get('probe-1')).toMatchObject({
      rung: 'cut-off',
      incidentId: flooding?.id,
      certificates: [{ active: true }],
      holders: [{ incidentId: oversize?.id }, { incidentId: flooding?.id }],
    });
    expect(status.get(certificateOf('probe-1'))).toBe(false);
    expect(flooding?.actions[0]?.did).toMatch(
      /changed the denial of probe-1 from quarantine to cut-off/,
    );
  });

  it('of which the second asks for no more are both held, and nothing is done twice', async () => {
    const { run, incidents, denials, acts } = defendWorld();
    await run(flood());
    const before = acts.length;
    await run(big());
    expect(acts).toHaveLength(before);
    expect([...incidents.values()]).toMatchObject([
      { state: 'contained' },
      { state: 'contained', actions: [{ did: expect.stringMatching(/^joined incident/) }] },
    ]);
    expect(denials.get('probe-1')?.holders).toHaveLength(2);
  });
});

describe('a device that comes and goes', () => {
  const going = (type: Finding['violationEventType'] = 'in-alarm'): Finding =>
    flood('probe-1', 2, {
      behavior: { name: 'disconnects', metric: 'aws:num-disconnects' },
      violationEventType: type,
    });
  const duplicates = flood('probe-1', 1, {
    behavior: { name: 'duplicate-client-ids', metric: 'tributary:num-duplicate-client-ids' },
  });

  it('for a reason that is known is evidence of that, and no incident of its own', async () => {
    const { run, incidents } = defendWorld();
    await run(duplicates);
    await run(going());
    await run(going('alarm-cleared'));
    expect([...incidents.values()]).toMatchObject([
      { cause: 'shared-credential', count: 2, behaviors: ['duplicate-client-ids', 'disconnects'] },
    ]);
  });

  it('for none that is known is told, and let go when it stays', async () => {
    const { run, incidents } = defendWorld();
    await run(going());
    await run(going('alarm-cleared'));
    expect([...incidents.values()]).toMatchObject([
      { cause: 'reconnect-storm', state: 'cleared', count: 1 },
    ]);
  });
});

describe('a contained thing', () => {
  it('that comes back with a certificate it did not have is contained with that as well', async () => {
    const things = new Map([device('probe-1')]);
    const { containment, acts, status } = memoryContainment(things);
    const { run, clock } = defendWorld({ containment });
    await run(flood());
    await run(flood('probe-1', 1));
    expect(acts.filter((act) => act.startsWith('ended'))).toHaveLength(1);
    const another = 'f'.repeat(64);
    things.set(...device('probe-1', { certificates: [certificateOf('probe-1'), another] }));
    clock.nowMs += 1_000;
    await run(flood('probe-1', 2));
    expect(status.get(another)).toBe(false);
  });

  it('that a person contained while containment is only proposed is left to that person', async () => {
    const { run, incidents, table, acts } = defendWorld({ mode: 'propose' });
    await run(flood());
    const [incident] = incidents.values();
    if (incident === undefined) throw new Error('there is no incident');
    await table.saveIncident(
      {
        ...incident,
        state: 'contained',
        containment: { rung: 'quarantine', state: 'done', why: 'seen on site' },
        version: incident.version + 1,
      },
      () => 1_000,
    );
    await run(flood('probe-1', 1));
    expect(acts).toEqual([]);
  });
});

describe('a cause that many share', () => {
  const storm = (count: number, at = 0) =>
    Array.from({ length: count }, (_, one) =>
      flood(`probe-${one}`, at, {
        behavior: { name: 'disconnects', metric: 'aws:num-disconnects' },
        violationId: `${one}-${at}`,
      }),
    );

  it('is one incident beside those of the first, says how many, and ends when it has rested', async () => {
    const { run, sweep, clock, incidents, told } = defendWorld({ alertsLimit: 1_000 });
    for (const one of storm(500)) await run(one);
    for (const one of storm(500)) await run(one);
    expect(incidents.size).toBe(STORM_THINGS + 1);
    await sweep();
    const shared = () => [...incidents.values()].find(({ subject }) => subject.kind === 'account');
    expect(shared()).toMatchObject({
      state: 'open',
      severity: 'HIGH',
      cause: 'reconnect-storm',
      count: 500 - STORM_THINGS,
    });
    expect(shared()?.evidence.at(-1)?.says).toBe('450 devices, 450 notifications so far');
    expect(told.filter(({ subject }) => subject?.includes(ACCOUNT))).toHaveLength(1);
    clock.nowMs += 1_000_000;
    await sweep();
    expect(shared()).toMatchObject({ state: 'cleared' });
    expect(shared()?.due).toBeUndefined();
  });

  it('has the ends of its alarms as well, which open and close nothing', async () => {
    const { run, incidents, affected } = defendWorld({ alertsLimit: 1_000 });
    for (const one of storm(60)) await run(one);
    for (const one of storm(60)) await run({ ...one, violationEventType: 'alarm-cleared' });
    expect(incidents.size).toBe(STORM_THINGS + 1);
    const own = [...incidents.values()].filter(({ subject }) => subject.kind === 'thing');
    expect(new Set(own.map(({ state }) => state))).toEqual(new Set(['cleared']));
    expect([...affected.values()].map(({ size }) => size)).toEqual(Array(10).fill(2));
  });
});

it('an audit is told when it finds something and when that is over, and is no incident when all is well', async () => {
  const world = defendWorld();
  const audit = (taskId: string, at: number, checkRunStatus: string) =>
    world.invoke([
      {
        message: JSON.stringify({
          accountId: ACCOUNT,
          taskId,
          taskStatus: 'COMPLETED',
          taskType: 'SCHEDULED_AUDIT_TASK',
          failedChecksCount: 0,
          canceledChecksCount: 0,
          nonCompliantChecksCount: 1,
          compliantChecksCount: 0,
          totalChecksCount: 1,
          taskStartTime: T0 + at,
          auditDetails: [{ checkName: 'LOGGING_DISABLED_CHECK', checkRunStatus }],
        }),
      },
    ]);
  await audit('one', 1, 'COMPLETED_COMPLIANT');
  expect(world.incidents.size).toBe(0);
  await audit('two', 2, 'COMPLETED_NON_COMPLIANT');
  await audit('three', 3, 'COMPLETED_NON_COMPLIANT');
  await audit('four', 4, 'COMPLETED_COMPLIANT');
  expect([...world.incidents.values()].map(({ state, count }) => [state, count])).toEqual([
    ['cleared', 2],
  ]);
  expect(world.told).toHaveLength(2);
});

describe('people', () => {
  it('are told of a state once', async () => {
    const { run, told } = defendWorld({ mode: 'propose' });
    for (let at = 0; at < 100; at += 1) await run(flood('probe-1', at));
    expect(told).toHaveLength(1);
  });

  it('sleep in quiet hours, unless it is grave', async () => {
    const hour = new Date(T0).getUTCHours();
    const quietHours = { fromHour: hour, toHour: hour + 1 };
    const { run, sweep, clock, told } = defendWorld({ mode: 'propose', quietHours });
    await run(flood());
    expect(told).toEqual([]);
    await sweep();
    expect(told).toEqual([]);
    await run(
      flood('probe-1', 1, {
        behavior: { name: 'x', metric: 'tributary:num-duplicate-client-ids' },
      }),
    );
    expect(told).toHaveLength(1);
    clock.nowMs += 3_600_000;
    await sweep();
    expect(told.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('shared-credential'),
      expect.stringContaining('flood'),
    ]);
    await sweep();
    expect(told).toHaveLength(2);
  });

  it('are told in the next five minutes what was too much for these, the gravest first', async () => {
    const { run, sweep, clock, told } = defendWorld({ mode: 'propose', alertsLimit: 2 });
    const grave = { name: 'x', metric: 'tributary:num-duplicate-client-ids' };
    for (const thing of ['a', 'b', 'c', 'd']) await run(flood(thing));
    await run(flood('e', 1, { behavior: grave }));
    expect(told.map(({ subject }) => subject)).toEqual([
      expect.stringContaining('flood: a'),
      expect.stringContaining('flood: b'),
      expect.stringContaining('more incidents'),
    ]);
    clock.nowMs += 60_000;
    await sweep();
    expect(told).toHaveLength(3);
    clock.nowMs += 240_000;
    await sweep();
    expect(told.slice(3).map(({ subject }) => subject)).toEqual([
      expect.stringContaining('shared-credential: e'),
      expect.stringContaining('flood: c'),
      expect.stringContaining('more incidents'),
    ]);
    clock.nowMs += 300_000;
    await sweep();
    expect(told.at(-1)?.subject).toContain('flood: d');
    await sweep();
    expect(told).toHaveLength(7);
  });

  it('are not told of what was over before its time came, but of its end', async () => {
    const hour = new Date(T0).getUTCHours();
    const quietHours = { fromHour: hour, toHour: hour + 1 };
    const { run, sweep, clock, told } = defendWorld({ mode: 'propose', quietHours });
    await run(flood());
    await run(flood('probe-1', 0, { violationEventType: 'alarm-cleared' }));
    clock.nowMs += 3_600_000;
    await sweep();
    expect(told.map(({ subject }) => subject)).toEqual([expect.stringContaining('cleared')]);
  });
});
