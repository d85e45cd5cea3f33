import { describe, expect, it } from '@jest/globals';
import { register } from '../../functions/register/register.ts';
import { registry as registryAdapter } from '../../shared/adapters/access/registry.ts';
import { rotationTable } from '../../shared/adapters/access/rotation-table.ts';
import { denials } from '../../shared/adapters/security/denials.ts';
import { incidentTable } from '../../shared/adapters/security/incident-table.ts';
import { parseAuthorities } from '../../shared/core/access/authorities.ts';
import { held } from '../../shared/core/security/denial.ts';
import {
  aMinute,
  DAY_MS,
  eachAccessWorld,
  INCIDENTS,
  idOf,
  NOW_MS,
  POLICY,
  queueEvent,
  TABLE,
} from '../support/access-world.ts';

const access = eachAccessWorld();

const PROBE_1 = [
  ['CN', 'probe-1'],
  ['O', 'acme'],
] as const;

function handlerOf({ registry = registryAdapter(access.world.iot, access.world.tools) } = {}) {
  const { ours } = access.authorities;
  return register({
    authorities: parseAuthorities(
      JSON.stringify([{ id: idOf(ours.certificatePem), fleets: ['acme', 'globex'] }]),
    ),
    registry,
    rotations: rotationTable(access.world.db, TABLE, access.world.tools),
    denialOf: denials(access.world.db, INCIDENTS),
    policyNames: [POLICY],
    log: access.world.log,
    now: access.world.now,
  });
}

const announce = (...bodies: readonly (object | string)[]) =>
  handlerOf()(queueEvent('registrations', bodies), aMinute);

const DONE = { batchItemFailures: [] };
const things = () => access.world.registry.listThings().map(({ thingName }) => thingName);
const refusals = () =>
  access.world
    .entries()
    .filter(({ message }) => message === 'registration refused')
    .map(({ code }) => code);

describe('a device of an authority on the list', () => {
  it('becomes a thing of its fleet, with its certificate active, on that thing and under the policy', async () => {
    const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    expect(await announce(announcement)).toEqual(DONE);
    const { registry } = access.world;
    expect(registry.thing('probe-1')).toMatchObject({ attributes: { fleet: 'acme' } });
    expect(registry.certificate(id)).toMatchObject({ status: 'ACTIVE' });
    expect(registry.principalsOf('probe-1')).toEqual([registry.arn.certificate(id)]);
    expect(registry.policiesOfTarget(registry.arn.certificate(id))).toMatchObject([
      { name: POLICY },
    ]);
  });

  it('is registered as the first, the second and the hundredth', async () => {
    const met = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        access.world.meet(access.authorities.ours, [
          ['CN', `probe-${at + 1}`],
          ['O', 'acme'],
        ]),
      ),
    );
    for (let at = 0; at < 100; at += 10) {
      await announce(...met.slice(at, at + 10).map(({ announcement }) => announcement));
    }
    expect(new Set(things())).toEqual(new Set(met.map((_, at) => `probe-${at + 1}`)));
    const statuses = met.map(({ id }) => access.world.registry.certificate(id)?.status);
    expect(new Set(statuses)).toEqual(new Set(['ACTIVE']));
  });

  it('is registered once, however often it is announced', async () => {
    const { announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    await announce(announcement, announcement);
    await announce(announcement);
    expect(things()).toEqual(['probe-1']);
    expect(access.world.registry.principalsOf('probe-1')).toHaveLength(1);
    expect(
      access.world.entries().filter(({ message }) => message === 'device registered'),
    ).toHaveLength(1);
  });

  it('is registered once by two containers that race', async () => {
    const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    const outcomes = await Promise.all([announce(announcement), announce(announcement)]);
    expect(outcomes).toEqual([DONE, DONE]);
    expect(things()).toEqual(['probe-1']);
    expect(access.world.registry.principalsOf('probe-1')).toHaveLength(1);
    expect(access.world.registry.certificate(id)?.status).toBe('ACTIVE');
    expect(refusals()).toEqual([]);
  });

  it('is registered to its end after a container died anywhere on the way', async () => {
    const calls = ['fleetOf', 'createThing', 'certificatesOf', 'attach', 'setStatus'] as const;
    for (const [at, call] of calls.entries()) {
      const { id, announcement } = await access.world.meet(access.authorities.ours, [
        ['CN', `probe-${at}`],
        ['O', 'acme'],
      ]);
      const broken = {
        ...registryAdapter(access.world.iot, access.world.tools),
        [call]: async () => {
          throw new Error('died');
        },
      };
      const failed = await handlerOf({ registry: broken })(
        queueEvent('registrations', [announcement]),
        aMinute,
      );
      expect({ call, failed }).toEqual({
        call,
        failed: { batchItemFailures: [{ itemIdentifier: 'message-0' }] },
      });
      expect(access.world.registry.certificate(id)?.status).toBe('PENDING_ACTIVATION');
      expect(await announce(announcement)).toEqual(DONE);
      expect(access.world.registry.certificate(id)?.status).toBe('ACTIVE');
    }
  });

  it('that has a certificate already keeps it, until the new one was used', async () => {
    const old = await access.world.addDevice('probe-1', 'acme');
    const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    await announce(announcement);
    expect(access.world.registry.certificate(old.id)?.status).toBe('ACTIVE');
    expect(access.world.registry.certificate(id)?.status).toBe('ACTIVE');
    const { newCertificates } = await rotationTable(
      access.world.db,
      TABLE,
      access.world.tools,
    ).pending(['probe-1'], () => 60_000);
    expect(newCertificates.get('probe-1')).toBe(id);
  });
});

describe('nothing comes of', () => {
  const nothing = async (code: string) => {
    expect(things()).toEqual([]);
    expect(refusals()).toEqual([code]);
  };

  it('an authority that is not on the list', async () => {
    const { id, announcement } = await access.world.meet(access.authorities.theirs, PROBE_1);
    expect(await announce(announcement)).toEqual(DONE);
    await nothing('FOREIGN_AUTHORITY');
    expect(access.world.registry.certificate(id)?.status).toBe('PENDING_ACTIVATION');
  });

  it('an announcement that names an authority of the list for a certificate of another', async () => {
    const { announcement } = await access.world.meet(access.authorities.theirs, PROBE_1);
    const caCertificateId = idOf(access.authorities.ours.certificatePem);
    await announce({ ...announcement, caCertificateId });
    await nothing('FOREIGN_AUTHORITY');
  });

  it('a device that an incident contains, until it is released', async () => {
    const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    const incidents = incidentTable(access.world.db, INCIDENTS, access.world.tools);
    const incidentId = '0123456789abcdef';
    const holder = { incidentId, rung: 'quarantine', cause: 'flood', by: 'test', atMs: 0 } as const;
    const denial = held('probe-1', undefined, holder);
    await incidents.saveDenial(denial, () => 60_000);
    expect(await announce(announcement)).toEqual(DONE);
    await nothing('CONTAINED');
    expect(access.world.lines.join('')).toContain(incidentId);

    await incidents.dropDenial(denial, () => 60_000);
    await announce(announcement);
    expect(access.world.registry.certificate(id)?.status).toBe('ACTIVE');
  });

  it('a fleet that the authority may not sign for', async () => {
    const { announcement } = await access.world.meet(access.authorities.ours, [
      ['CN', 'probe-1'],
      ['O', 'initech'],
    ]);
    await announce(announcement);
    await nothing('FOREIGN_FLEET');
  });

  it.each(['ACTIVE', 'INACTIVE', 'REVOKED'] as const)(
    'a replayed announcement of a certificate that is %s',
    async (status) => {
      const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
      access.world.registry.updateCertificate(id, status);
      await announce(announcement);
      expect(things()).toEqual([]);
      expect(access.world.registry.certificate(id)?.status).toBe(status);
    },
  );

  it('an announcement of another account', async () => {
    const { announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    await announce({ ...announcement, awsAccountId: '111111111111' });
    await nothing('FOREIGN_ACCOUNT');
  });

  it('a certificate that is in no registry', async () => {
    const { announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    await announce({ ...announcement, certificateId: 'a'.repeat(64) });
    await nothing('WRONG_STATE');
  });

  it.each([
    { what: 'that is over', options: { fromMs: NOW_MS - 10 * DAY_MS, days: 5 }, code: 'EXPIRED' },
    { what: 'of tomorrow', options: { fromMs: NOW_MS + DAY_MS }, code: 'NOT_YET_VALID' },
  ])('a certificate $what', async ({ options, code }) => {
    const { announcement } = await access.world.meet(access.authorities.ours, PROBE_1, options);
    await announce(announcement);
    await nothing(code);
  });

  it.each([
    { what: 'no name', subject: [['O', 'acme']] as const },
    { what: 'no fleet', subject: [['CN', 'probe-1']] as const },
    {
      what: 'two names',
      subject: [
        ['CN', 'probe-1'],
        ['CN', 'probe-2'],
        ['O', 'acme'],
      ] as const,
    },
    {
      what: 'a wildcard for a name',
      subject: [
        ['CN', '*'],
        ['O', 'acme'],
      ] as const,
    },
    {
      what: 'a name that goes on as a topic',
      subject: [
        ['CN', 'probe-1/telemetry'],
        ['O', 'acme'],
      ] as const,
    },
    {
      what: 'a name with a line break that begins another field',
      subject: [
        ['CN', 'probe-1\nO=globex'],
        ['O', 'acme'],
      ] as const,
    },
  ])('a certificate with $what', async ({ subject }) => {
    const { announcement } = await access.world.meet(access.authorities.ours, subject);
    await announce(announcement);
    await nothing('WRONG_SUBJECT');
  });

  it('a name that is a thing of another fleet', async () => {
    await access.world.addDevice('probe-1', 'globex');
    const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    await announce(announcement);
    expect(refusals()).toEqual(['FOREIGN_FLEET']);
    expect(access.world.registry.certificate(id)?.status).toBe('PENDING_ACTIVATION');
    expect(access.world.registry.thing('probe-1')).toMatchObject({
      attributes: { fleet: 'globex' },
    });
  });

  it('who is revoked while he is being registered', async () => {
    const { id, announcement } = await access.world.meet(access.authorities.ours, PROBE_1);
    const adapter = registryAdapter(access.world.iot, access.world.tools);
    const revoking = {
      ...adapter,
      attach: async (...args: Parameters<typeof adapter.attach>) => {
        await adapter.attach(...args);
        access.world.registry.updateCertificate(id, 'REVOKED');
      },
    };
    await handlerOf({ registry: revoking })(queueEvent('registrations', [announcement]), aMinute);
    expect(access.world.registry.certificate(id)?.status).toBe('REVOKED');
    expect(refusals()).toEqual(['WRONG_STATE']);
  });

  it.each([
    { what: 'no JSON', body: '{"certificateId":' },
    { what: 'a list', body: [] },
    { what: 'no ids', body: {} },
    {
      what: 'an id that is a path',
      body: { certificateId: '../../things', caCertificateId: 'a', awsAccountId: 'b' },
    },
  ])('a message that holds $what', async ({ body }) => {
    expect(await announce(body)).toEqual(DONE);
    await nothing('MALFORMED_EVENT');
  });
});

describe('a failure', () => {
  it('of one announcement leaves the others of its batch done', async () => {
    const first = await access.world.meet(access.authorities.ours, PROBE_1);
    const second = await access.world.meet(access.authorities.ours, [
      ['CN', 'probe-2'],
      ['O', 'acme'],
    ]);
    const adapter = registryAdapter(access.world.iot, access.world.tools);
    const failing = {
      ...adapter,
      createThing: async (thing: string, fleet: string, timeLeft: () => number) => {
        if (thing === 'probe-1') throw new Error('throttled for too long');
        await adapter.createThing(thing, fleet, timeLeft);
      },
    };
    const outcome = await handlerOf({ registry: failing })(
      queueEvent('registrations', [first.announcement, second.announcement]),
      aMinute,
    );
    expect(outcome).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
    expect(things()).toEqual(['probe-2']);
  });
});
