import { afterEach, describe, expect, it } from '@jest/globals';
import { incidentTable } from '../../shared/adapters/security/incident-table.ts';
import { stormTable } from '../../shared/adapters/security/storm-table.ts';
import { BUDGET_LIMITS } from '../../shared/core/security/budget.ts';
import { DEFAULT_PROFILES } from '../../shared/core/security/default-profiles.ts';
import { NEW_DEVICE } from '../../shared/core/security/device-state.ts';
import type { Finding } from '../../shared/core/security/finding.ts';
import { activeBehaviors } from '../../shared/core/security/profile.ts';
import { STORM_THINGS } from '../../shared/core/security/storm.ts';
import { takeSignal } from '../../shared/core/security/take.ts';
import { watch } from '../../shared/core/security/watch.ts';
import { defendWorld, device, flood, T0 } from '../support/defend-world.ts';
import { patientTools, plentyOfTime } from '../support/retry-tools.ts';
import { openSecurityTable } from '../support/security-table.ts';
import { packageService } from '../support/template.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

type Run = ReturnType<typeof defendWorld>['run'];

/** Batches, so many at once; what fails comes again until nothing does, as from a queue. */
async function drain(findings: readonly Finding[], atOnce: number, run: Run): Promise<number> {
  const batches = Array.from({ length: Math.ceil(findings.length / 10) }, (_, at) =>
    findings.slice(at * 10, at * 10 + 10),
  );
  let failures = 0;
  const work = async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const { batchItemFailures } = await run(...batch);
      failures += batchItemFailures.length;
      if (batchItemFailures.length > 0) batches.push(batch);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failures;
}

describe('twenty of defend at once, on a real table,', () => {
  async function onTable(things: readonly string[]) {
    const { db, close } = await openSecurityTable();
    cleanUps.push(close);
    const tools = patientTools();
    const table = incidentTable(db, 'table', tools);
    const world = defendWorld(
      {
        incidents: table,
        storms: stormTable(db, 'table', tools),
        limits: { ...BUDGET_LIMITS, account: 5, fleet: 5 },
        // as in Lambda: a little at first, then more
        giveWay: (tries) =>
          new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** Math.min(tries, 6))),
      },
      things.map((thing) => device(thing)),
    );
    return { ...world, table };
  }

  it('count every violation once, and contain within one budget, a thing once', async () => {
    const things = Array.from({ length: 12 }, (_, at) => `probe-${at}`);
    const findings = Array.from({ length: 240 }, (_, at) => flood(things[at % 12], at));
    const { run, table, acts } = await onTable(things);
    // everything is delivered twice
    await drain([...findings, ...findings], 20, run);
    const incidents = await table.incidents(plentyOfTime);
    expect(incidents).toHaveLength(12);
    expect(incidents.map(({ count }) => count)).toEqual(Array(12).fill(20));
    const ended = acts.filter((act) => act.startsWith('ended'));
    expect(ended).toHaveLength(5);
    expect(new Set(ended).size).toBe(5);
    expect(incidents.filter(({ state }) => state === 'contained')).toHaveLength(5);
    const { grants } = await table.budget(plentyOfTime);
    expect(grants).toHaveLength(5);
  });

  it('make one incident of what one thing does, contain it once and tell it once', async () => {
    const findings = Array.from({ length: 100 }, (_, at) => flood('probe-1', at));
    const { run, table, acts, told } = await onTable(['probe-1']);
    await drain(findings, 20, run);
    const incidents = await table.incidents(plentyOfTime);
    expect(incidents).toMatchObject([{ count: 100, episode: 1, state: 'contained' }]);
    expect(acts.filter((act) => act.startsWith('ended'))).toHaveLength(1);
    expect(told.map(({ subject }) => subject)).toEqual(['MEDIUM flood: probe-1 contained']);
  });
});

describe('a reconnect storm of 10,000 devices', () => {
  it('makes few incidents, contains nobody, tells few people, and accounts for all', async () => {
    const { run, sweep, incidents, affected, acts, told } = defendWorld();
    const findings = Array.from({ length: 10_000 }, (_, at) =>
      flood(`probe-${at}`, at, {
        behavior: { name: 'disconnects', metric: 'aws:num-disconnects' },
      }),
    );
    expect(await drain(findings, 5, run)).toBe(0);
    await sweep();
    expect(incidents.size).toBe(STORM_THINGS + 1);
    const own = [...incidents.values()].filter(({ subject }) => subject.kind === 'thing');
    expect(own.length + affected.size).toBe(10_000);
    const shared = [...incidents.values()].find(({ subject }) => subject.kind === 'account');
    expect(shared).toMatchObject({ cause: 'reconnect-storm', count: 10_000 - STORM_THINGS });
    expect(acts).toEqual([]);
    expect(told.length).toBeLessThanOrEqual(STORM_THINGS + 2);
  });

  it('that each come back once is no finding at all', () => {
    const behaviors = activeBehaviors(DEFAULT_PROFILES, { fleet: 'acme' });
    for (let at = 0; at < 10_000; at += 1) {
      const thing = `probe-${at}`;
      const event = { v: 1, source: 'presence', clientId: thing, versionNumber: 0 } as const;
      const gone = takeSignal(
        NEW_DEVICE,
        { ...event, eventType: 'disconnected', disconnectReason: 'CONNECTION_LOST', timestamp: T0 },
        '1',
      );
      const back = takeSignal(
        gone.state,
        { ...event, eventType: 'connected', timestamp: T0 + at },
        '2',
      );
      const observations = [...gone.observations, ...back.observations];
      const nowMs = T0 + 60_000;
      const { findings } = watch(back.state, observations, { thing, behaviors, nowMs });
      expect(findings).toEqual([]);
    }
  });

  it('finds every function behind it bounded in how many run at once', () => {
    const { template } = packageService();
    const mappings = Object.values(template.Resources)
      .filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping')
      .map(({ Properties = {} }) => JSON.parse(JSON.stringify(Properties)));
    expect(mappings.length).toBeGreaterThan(0);
    for (const { EventSourceArn, ParallelizationFactor, ScalingConfig } of mappings) {
      // a stream runs as many as it has shards, a queue as many as it says
      const isQueue = JSON.stringify(EventSourceArn).includes('Queue');
      const atMost = isQueue ? ScalingConfig?.MaximumConcurrency : ParallelizationFactor;
      expect({ EventSourceArn, atMost }).toEqual({ EventSourceArn, atMost: expect.any(Number) });
      expect(atMost).toBeLessThanOrEqual(10);
    }
  });
});
