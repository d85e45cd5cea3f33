import { describe, expect, it } from '@jest/globals';
import { expiry } from '../../functions/expiry/expiry.ts';
import { expiryTable } from '../../shared/adapters/access/expiry-table.ts';
import { registry as registryAdapter } from '../../shared/adapters/access/registry.ts';
import { DAY_MS, eachAccessWorld, POLICY, TABLE } from '../support/access-world.ts';

const access = eachAccessWorld();

/** An invocation whose time runs with the clock, and a clock that runs with each pause. */
function setup({ lastsMs = 900_000, pageSize = 250 } = {}) {
  const adapter = registryAdapter(access.world.iot, access.world.tools);
  const endsAtMs = { ms: 0 };
  const pauses: number[] = [];
  const watch = expiry({
    registry: {
      ...adapter,
      certificatesWith: async (policyName, marker, timeLeft) => {
        const all = await adapter.certificatesWith(policyName, undefined, timeLeft);
        const from = Number(marker ?? 0);
        const next = from + pageSize;
        return {
          ids: all.ids.slice(from, next),
          marker: next < all.ids.length ? String(next) : undefined,
        };
      },
    },
    table: expiryTable(access.world.db, TABLE, access.world.tools),
    policyName: POLICY,
    stage: 'dev',
    log: access.world.log,
    now: access.world.now,
    sleep: async (ms) => {
      pauses.push(ms);
      access.world.clock.ms += ms;
    },
  });
  const tick = async (kind: 'begin' | 'continue') => {
    endsAtMs.ms = access.world.clock.ms + lastsMs;
    await watch(
      { tick: kind },
      { getRemainingTimeInMillis: () => endsAtMs.ms - access.world.clock.ms },
    );
  };
  return { tick, pauses, watch };
}

const counts = () =>
  access.world
    .entries()
    .filter(({ message }) => message === 'certificates looked at')
    .map(({ certificates, within30Days, within7Days, within1Day, expired }) => ({
      certificates,
      within30Days,
      within7Days,
      within1Day,
      expired,
    }));
const described = () =>
  access.world.needs.filter(({ action }) => action === 'iot:DescribeCertificate').length;
const ending = () =>
  access.world
    .entries()
    .filter(({ message }) => message === 'certificate ends soon')
    .map(({ certificateId, daysLeft }) => ({ certificateId, daysLeft }));

describe('the daily watch', () => {
  it('counts what ends within 30, 7 and 1 days, and names it', async () => {
    const days = [90, 30, 29, 7, 6, 1];
    for (const [at, left] of days.entries())
      await access.world.addDevice(`probe-${at}`, 'acme', left);
    await setup().tick('begin');
    expect(counts()).toEqual([
      { certificates: 6, within30Days: 5, within7Days: 3, within1Day: 1, expired: 0 },
    ]);
    expect(ending().map(({ daysLeft }) => Number(daysLeft))).toEqual(
      expect.arrayContaining([29, 28, 6, 5, 0]),
    );
  });

  it('says so as metrics of CloudWatch', async () => {
    await access.world.addDevice('probe-1', 'acme', 3);
    await setup().tick('begin');
    expect(
      access.world.entries().find(({ message }) => message === 'certificates looked at'),
    ).toEqual(
      expect.objectContaining({
        stage: 'dev',
        within7Days: 1,
        _aws: {
          Timestamp: access.world.clock.ms,
          CloudWatchMetrics: [
            {
              Namespace: 'Tributary',
              Dimensions: [['stage']],
              Metrics: expect.arrayContaining([{ Name: 'within7Days', Unit: 'Count' }]),
            },
          ],
        },
      }),
    );
  });

  it('leaves out what is in use no more', async () => {
    const { id } = await access.world.addDevice('probe-1', 'acme', 3);
    access.world.registry.updateCertificate(id, 'REVOKED');
    await setup().tick('begin');
    expect(counts()).toMatchObject([{ certificates: 0, within7Days: 0 }]);
  });

  it('says that there is nothing, where there is nothing', async () => {
    await setup().tick('begin');
    expect(counts()).toMatchObject([{ certificates: 0 }]);
  });

  it('asks for a certificate once, and again only when its end is near', async () => {
    await access.world.addDevice('probe-1', 'acme', 90);
    const { tick } = setup();
    await tick('begin');
    expect(described()).toBe(1);
    access.world.clock.ms += DAY_MS;
    await tick('begin');
    expect(described()).toBe(1);
    access.world.clock.ms += 60 * DAY_MS;
    await tick('begin');
    expect(described()).toBe(2);
    expect(counts().map(({ within30Days }) => within30Days)).toEqual([0, 0, 1]);
  });

  it('asks no more than eight times a second', async () => {
    for (let at = 0; at < 20; at += 1) await access.world.addDevice(`probe-${at}`, 'acme');
    const { tick, pauses } = setup();
    await tick('begin');
    expect(described()).toBe(20);
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(20 * 125);
  });
});

describe('a watch whose time runs out', () => {
  it('goes on where it was, hour by hour, and counts each certificate once', async () => {
    for (let at = 0; at < 30; at += 1) await access.world.addDevice(`probe-${at}`, 'acme', 20);
    const { tick } = setup({ lastsMs: 31_500, pageSize: 4 });
    await tick('begin');
    expect(counts()).toEqual([]);
    for (let hour = 0; hour < 12 && counts().length === 0; hour += 1) await tick('continue');
    expect(counts()).toEqual([
      { certificates: 30, within30Days: 30, within7Days: 0, within1Day: 0, expired: 0 },
    ]);
  });

  it('is gone on with by the next day’s', async () => {
    for (let at = 0; at < 30; at += 1) await access.world.addDevice(`probe-${at}`, 'acme', 90);
    const slow = setup({ lastsMs: 31_500, pageSize: 4 });
    await slow.tick('begin');
    const before = described();
    access.world.clock.ms += DAY_MS;
    await setup({ pageSize: 4 }).tick('begin');
    expect(counts()).toMatchObject([{ certificates: 30 }]);
    expect(described()).toBe(30);
    expect(before).toBeGreaterThan(0);
  });

  it('finds nothing to go on with, once it is done', async () => {
    await access.world.addDevice('probe-1', 'acme');
    const { tick } = setup();
    await tick('begin');
    await tick('continue');
    expect(counts()).toHaveLength(1);
  });
});

it('refuses an event that is no tick', async () => {
  const { watch } = setup();
  const aMinute = { getRemainingTimeInMillis: () => 60_000 };
  await expect(watch({}, aMinute)).rejects.toThrow('tick');
});
