import { expect, it } from '@jest/globals';
import { rotation } from '../../functions/rotation/rotation.ts';
import { registry as registryAdapter } from '../../shared/adapters/access/registry.ts';
import { rotationTable } from '../../shared/adapters/access/rotation-table.ts';
import {
  aMinute,
  eachAccessWorld,
  NOW_MS,
  POLICY,
  queueEvent,
  TABLE,
} from '../support/access-world.ts';

const access = eachAccessWorld();

const DONE = { batchItemFailures: [] };
const connected = (thing: string, id: string) => ({ clientId: thing, principalIdentifier: id });

const setup = () => {
  const rotations = rotationTable(access.world.db, TABLE, access.world.tools);
  const registry = registryAdapter(access.world.iot, access.world.tools);
  const deps = { rotations, registry, policyNames: [POLICY], log: access.world.log };
  const handle = (...bodies: readonly (object | string)[]) =>
    rotation(deps)(queueEvent('connections', bodies), aMinute);
  return { rotations, registry, deps, handle };
};

/** A device with an old certificate, and a new one that it has not used yet. */
async function rotating(thing = 'probe-1') {
  const old = await access.world.addDevice(thing, 'acme');
  const next = await access.world.addDevice(thing, 'acme');
  await setup().rotations.begin(thing, next.id, NOW_MS, () => 60_000);
  return { old, next };
}

const statusOf = (id: string) => access.world.registry.certificate(id)?.status;
const pending = async (thing: string) =>
  (await setup().rotations.pending([thing], () => 60_000)).newCertificates.get(thing);

it('lets both certificates work while only the old one is used', async () => {
  const { old, next } = await rotating();
  expect(await setup().handle(connected('probe-1', old.id))).toEqual(DONE);
  expect([statusOf(old.id), statusOf(next.id)]).toEqual(['ACTIVE', 'ACTIVE']);
  expect(await pending('probe-1')).toBe(next.id);
});

it('ends the old certificate once the new one was used', async () => {
  const { old, next } = await rotating();
  expect(await setup().handle(connected('probe-1', next.id))).toEqual(DONE);
  expect([statusOf(old.id), statusOf(next.id)]).toEqual(['INACTIVE', 'ACTIVE']);
  expect(access.world.registry.principalsOf('probe-1')).toEqual([
    access.world.registry.arn.certificate(next.id),
  ]);
  expect(
    access.world.registry.policiesOfTarget(access.world.registry.arn.certificate(old.id)),
  ).toEqual([]);
  expect(await pending('probe-1')).toBeUndefined();
});

it('leaves two certificates alone that nobody rotates', async () => {
  const first = await access.world.addDevice('probe-1', 'acme');
  const second = await access.world.addDevice('probe-1', 'acme');
  await setup().handle(connected('probe-1', second.id), connected('probe-1', first.id));
  expect([statusOf(first.id), statusOf(second.id)]).toEqual(['ACTIVE', 'ACTIVE']);
});

it('can be told twice', async () => {
  const { old, next } = await rotating();
  const { handle } = setup();
  await handle(connected('probe-1', next.id), connected('probe-1', next.id));
  expect(await handle(connected('probe-1', next.id))).toEqual(DONE);
  expect([statusOf(old.id), statusOf(next.id)]).toEqual(['INACTIVE', 'ACTIVE']);
});

it.each(['setStatus', 'detach', 'end'] as const)(
  'is finished later when it broke at %s',
  async (step) => {
    const { old, next } = await rotating();
    const { deps, handle } = setup();
    const broken = async () => {
      throw new Error('died');
    };
    const failing =
      step === 'end'
        ? { ...deps, rotations: { ...deps.rotations, end: broken } }
        : { ...deps, registry: { ...deps.registry, [step]: broken } };
    const outcome = await rotation(failing)(
      queueEvent('connections', [connected('probe-1', next.id)]),
      aMinute,
    );
    expect(outcome).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-0' }] });
    expect(await handle(connected('probe-1', next.id))).toEqual(DONE);
    expect(statusOf(old.id)).toBe('INACTIVE');
    expect(access.world.registry.principalsOf('probe-1')).toHaveLength(1);
    expect(await pending('probe-1')).toBeUndefined();
  },
);

it('ends nothing for a new certificate that was revoked, or is on no thing', async () => {
  const { old, next } = await rotating();
  access.world.registry.updateCertificate(next.id, 'REVOKED');
  await setup().handle(connected('probe-1', next.id));
  expect(statusOf(old.id)).toBe('ACTIVE');
  const other = await rotating('probe-2');
  access.world.registry.detachThingPrincipal(
    'probe-2',
    access.world.registry.arn.certificate(other.next.id),
  );
  await setup().handle(connected('probe-2', other.next.id));
  expect(statusOf(other.old.id)).toBe('ACTIVE');
});

it('goes to the newest of several new certificates', async () => {
  const { old, next } = await rotating();
  const newest = await access.world.addDevice('probe-1', 'acme');
  const { rotations, handle } = setup();
  await rotations.begin('probe-1', newest.id, NOW_MS, () => 60_000);
  await handle(connected('probe-1', next.id));
  expect([old, next, newest].map(({ id }) => statusOf(id))).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
  await handle(connected('probe-1', newest.id));
  expect([old, next, newest].map(({ id }) => statusOf(id))).toEqual([
    'INACTIVE',
    'INACTIVE',
    'ACTIVE',
  ]);
});

it('leaves a revoked certificate revoked', async () => {
  const { old, next } = await rotating();
  access.world.registry.updateCertificate(old.id, 'REVOKED');
  await setup().handle(connected('probe-1', next.id));
  expect(statusOf(old.id)).toBe('REVOKED');
});

it.each([
  { what: 'no JSON', body: 'connected' },
  { what: 'nobody', body: {} },
  {
    what: 'an identity of Cognito',
    body: connected('probe-1', 'eu-central-1:7d5f6f0e-6a3c-4bd0-9df2-3b0f7f6f7d20'),
  },
])('takes a message of $what for done', async ({ body }) => {
  expect(await setup().handle(body)).toEqual(DONE);
});

it('asks the registry for nobody who does not rotate, however many connect', async () => {
  const { handle } = setup();
  const bodies = Array.from({ length: 100 }, (_, at) =>
    connected(`probe-${at}`, String(at).padStart(64, '0')),
  );
  await handle(...bodies);
  expect(new Set(access.world.needs.map(({ action }) => action))).toEqual(
    new Set(['dynamodb:BatchGetItem', 'kms:Decrypt']),
  );
});
