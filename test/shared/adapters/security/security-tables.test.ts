import { afterEach, describe, expect, it } from '@jest/globals';
import { connectionTable } from '../../../../shared/adapters/security/connection-table.ts';
import { denials } from '../../../../shared/adapters/security/denials.ts';
import { DUE_BUCKETS, guardTable } from '../../../../shared/adapters/security/guard-table.ts';
import { incidentTable } from '../../../../shared/adapters/security/incident-table.ts';
import { statisticsTable } from '../../../../shared/adapters/security/statistics-table.ts';
import { stormTable } from '../../../../shared/adapters/security/storm-table.ts';
import { BUDGET_LIMITS, requestContainment } from '../../../../shared/core/security/budget.ts';
import { type Holder, held, letGo } from '../../../../shared/core/security/denial.ts';
import {
  type DeviceState,
  NEW_DEVICE,
  NO_PROGRESS,
} from '../../../../shared/core/security/device-state.ts';
import { percentileOf } from '../../../../shared/core/security/histogram.ts';
import { afterNotification, type Incident } from '../../../../shared/core/security/incident.ts';
import { patientTools, plentyOfTime } from '../../../support/retry-tools.ts';
import { openSecurityTable } from '../../../support/security-table.ts';

const T0 = 1_790_000_000_000;

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function setup(range: 'dueOrder' | 'latestMs' = 'dueOrder') {
  const { db, close } = await openSecurityTable(range);
  cleanUps.push(close);
  return db;
}

const holder = (incidentId: string, rung: Holder['rung']): Holder => ({
  incidentId,
  rung,
  cause: 'flood',
  by: 'defend',
  atMs: T0,
});

const incident = afterNotification(
  undefined,
  {
    id: 'n-1',
    type: 'alarm',
    subject: { kind: 'thing', name: 'probe-1' },
    cause: 'flood',
    alarm: 'a-1',
    atMs: T0,
    says: 'x',
    behavior: undefined,
    severity: undefined,
  },
  false,
);

describe('incidents', () => {
  it('move on by one who is first, and are all there are', async () => {
    const table = incidentTable(await setup(), 'table', patientTools());
    const first = { ...incident, version: 1 };
    expect(await table.saveIncident(first, plentyOfTime)).toBe(true);
    expect(await table.saveIncident(first, plentyOfTime)).toBe(false);
    const second = { ...incident, version: 2 };
    const both = [second, second].map((one) => table.saveIncident(one, plentyOfTime));
    expect((await Promise.all(both)).sort()).toEqual([false, true]);
    expect(await table.incident(incident.id, plentyOfTime)).toEqual(second);
    await table.saveBudget({ version: 1, grants: [], wanted: [] }, plentyOfTime);
    expect(await table.incidents(plentyOfTime)).toEqual([second]);
  });

  it('spend one budget, however many spend at once', async () => {
    const table = incidentTable(await setup(), 'table', patientTools());
    const limits = { ...BUDGET_LIMITS, account: 5 };
    const spend = async (thing: string): Promise<boolean> => {
      for (;;) {
        const budget = await table.budget(plentyOfTime);
        const verdict = requestContainment(budget, { thing, fleet: 'f' }, T0, limits);
        if (verdict.next === undefined) return verdict.granted;
        if (await table.saveBudget(verdict.next, plentyOfTime)) return verdict.granted;
      }
    };
    const asked = Array.from({ length: 15 }, (_, at) => spend(`probe-${at}`));
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(5);
  });

  it('hold a thing by a denial that one at a time moves on, and that others read', async () => {
    const db = await setup();
    const table = incidentTable(db, 'table', patientTools());
    const denialOf = denials(db, 'table');
    const first = held('probe-1', undefined, holder('one', 'quarantine'));
    const both = [first, first].map((denial) => table.saveDenial(denial, plentyOfTime));
    expect((await Promise.all(both)).sort()).toEqual([false, true]);
    expect(await denialOf('probe-1')).toEqual({ rung: 'quarantine', incidentId: 'one' });
    const second = held('probe-1', first, holder('two', 'cut-off'));
    expect(await table.saveDenial(second, plentyOfTime)).toBe(true);
    expect(await denialOf('probe-1')).toEqual({ rung: 'cut-off', incidentId: 'two' });
    expect(await table.denial('probe-1', plentyOfTime)).toEqual(second);
    const nobody = letGo(letGo(second, 'one'), 'two');
    expect(await table.saveDenial({ ...nobody, version: 3 }, plentyOfTime)).toBe(true);
    expect(await denialOf('probe-1')).toBeUndefined();
    expect(await table.dropDenial(second, plentyOfTime)).toBe(false);
    expect(await table.dropDenial({ ...nobody, version: 3 }, plentyOfTime)).toBe(true);
    expect(await table.denial('probe-1', plentyOfTime)).toBeUndefined();
  });

  it('that are due are found, the gravest first, until they are not', async () => {
    const table = incidentTable(await setup(), 'table', patientTools());
    const due = (id: string, severity: Incident['severity'], version = 1) =>
      table.saveIncident({ ...incident, id, severity, due: 'alert', version }, plentyOfTime);
    await due('a'.repeat(16), 'LOW');
    await due('b'.repeat(16), 'HIGH');
    await table.saveIncident({ ...incident, version: 1 }, plentyOfTime);
    expect(await table.dueIncidents(10, plentyOfTime)).toEqual(['b'.repeat(16), 'a'.repeat(16)]);
    expect(await table.dueIncidents(1, plentyOfTime)).toEqual(['b'.repeat(16)]);
    await table.saveIncident({ ...incident, id: 'b'.repeat(16), version: 2 }, plentyOfTime);
    expect(await table.dueIncidents(10, plentyOfTime)).toEqual(['a'.repeat(16)]);
  });

  it('count their alerts', async () => {
    const table = incidentTable(await setup(), 'table', patientTools());
    const counted = Array.from({ length: 4 }, () => table.countAlert(7, T0, plentyOfTime));
    expect((await Promise.all(counted)).sort()).toEqual([1, 2, 3, 4]);
    expect(await table.countAlert(8, T0, plentyOfTime)).toBe(1);
  });
});

describe('a storm', () => {
  it('counts each thing and notification once, whoever adds them', async () => {
    const table = stormTable(await setup(), 'table', patientTools());
    const affect = (thing: string, ...ids: string[]) =>
      table.affect({ thing, cause: 'flood', stormId: 's', ids }, T0, plentyOfTime);
    expect(await affect('probe-1', 'n-1', 'n-2')).toEqual({ isNew: true, added: 2 });
    expect(await affect('probe-1', 'n-2', 'n-3')).toEqual({ isNew: false, added: 1 });
    expect(await affect('probe-2', 'n-1')).toEqual({ isNew: true, added: 1 });
    expect(await table.affectedBy('probe-1', 'flood', plentyOfTime)).toEqual(
      new Set(['n-1', 'n-2', 'n-3']),
    );
    expect(await table.affectedBy('probe-1', 'oversize', plentyOfTime)).toEqual(new Set());
    const add = () =>
      table.countAffected('s', { things: 1, notifications: 2 }, T0 + 5, plentyOfTime);
    expect(await Promise.all([add(), add(), add()])).toEqual([false, false, false]);
    await table.markStorm('s', true, plentyOfTime);
    expect(await add()).toBe(true);
    expect(await table.affected('s', plentyOfTime)).toEqual({
      things: 4,
      notifications: 8,
      lastAtMs: T0 + 5,
    });
    expect(await table.affected('other', plentyOfTime)).toBeUndefined();
    const openings = Array.from({ length: 3 }, () =>
      table.countOpening('flood', 1, T0, plentyOfTime),
    );
    expect((await Promise.all(openings)).sort()).toEqual([1, 2, 3]);
    expect(await table.countOpening('oversize', 1, T0, plentyOfTime)).toBe(1);
  });
});

describe('the state of a device', () => {
  it('is what was saved, by one who knew the state before it', async () => {
    const table = guardTable(await setup(), 'table', patientTools());
    const kept = { state: { ...NEW_DEVICE, upTo: '5', latestMs: T0 }, unpublished: [] };
    expect(await table.save('probe-1', kept, '', T0, plentyOfTime)).toEqual([]);
    expect(await table.save('probe-1', kept, '', T0, plentyOfTime)).toHaveLength(1);
    const next = { ...kept, state: { ...kept.state, upTo: '6' } };
    expect(await table.save('probe-1', next, '4', T0, plentyOfTime)).toHaveLength(1);
    expect(await table.save('probe-1', next, '5', T0, plentyOfTime)).toEqual([]);
    const { kept: loaded } = await table.load(['probe-1', 'probe-2'], plentyOfTime);
    expect(loaded.get('probe-1')).toEqual(next);
    expect(loaded.get('probe-2')?.state).toEqual(NEW_DEVICE);
  });
});

describe('a device that somebody waits for', () => {
  const alarmed: DeviceState = {
    ...NEW_DEVICE,
    upTo: '5',
    latestMs: T0,
    progress: new Map([['p/b', { ...NO_PROGRESS, alarm: 'a-1' }]]),
  };
  const silentOf = async (table: ReturnType<typeof guardTable>, sinceMs: number) => {
    const found = new Set<string>();
    for (let bucket = 0; bucket < DUE_BUCKETS; bucket += 1) {
      for await (const things of table.silent(bucket, sinceMs, plentyOfTime)) {
        for (const thing of things) found.add(thing);
      }
    }
    return found;
  };

  it('is found once it is silent, until its alarm has ended', async () => {
    const table = guardTable(await setup('latestMs'), 'table', patientTools());
    const things = Array.from({ length: 120 }, (_, at) => `probe-${at}`);
    for (const thing of things) {
      await table.save(thing, { state: alarmed, unpublished: [] }, '', T0, plentyOfTime);
    }
    const calm = { state: { ...NEW_DEVICE, upTo: '5', latestMs: T0 }, unpublished: [] };
    await table.save('calm', calm, '', T0, plentyOfTime);
    expect(await silentOf(table, T0)).toEqual(new Set());
    expect(await silentOf(table, T0 + 1)).toEqual(new Set(things));
    for (const thing of things.slice(1)) await table.save(thing, calm, '5', T0, plentyOfTime);
    expect(await silentOf(table, T0 + 1)).toEqual(new Set(['probe-0']));
  });
});

describe('the statistic of a fleet', () => {
  it('tells a percentile once it knows enough', async () => {
    const clock = { nowMs: T0 };
    const table = statisticsTable(await setup(), 'table', patientTools(), () => clock.nowMs);
    const points = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ key: 'p/b', count: at % 100 }));
    await table.add('acme', points(400), plentyOfTime);
    expect(percentileOf(await table.histogram('acme', 'p/b', plentyOfTime), 90)).toBeUndefined();
    await table.add('acme', points(400), plentyOfTime);
    clock.nowMs += 120_000;
    const p90 = percentileOf(await table.histogram('acme', 'p/b', plentyOfTime), 90) ?? 0;
    expect(Math.abs(p90 - 90)).toBeLessThanOrEqual(10);
  });
});

it('the newest status of a connection stays', async () => {
  const db = await setup();
  const table = connectionTable(db, 'table', patientTools());
  const status = (sinceMs: number, connected: boolean) => ({
    thing: 'probe-1',
    connected,
    sinceMs,
  });
  expect(await table.save([status(T0 + 1, false)], plentyOfTime)).toEqual([]);
  expect(await table.save([status(T0, true)], plentyOfTime)).toEqual([]);
});
