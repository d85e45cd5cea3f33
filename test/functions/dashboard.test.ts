import { expect, it } from '@jest/globals';
import { dashboard } from '../../functions/dashboard/dashboard.ts';
import { registry as registryAdapter } from '../../shared/adapters/access/registry.ts';
import { aMinute, eachAccessWorld, POLICY } from '../support/access-world.ts';

const access = eachAccessWorld();

const identityId = 'eu-central-1:7d5f6f0e-6a3c-4bd0-9df2-3b0f7f6f7d20';

const admit = (event: object) =>
  dashboard({
    registry: registryAdapter(access.world.iot, access.world.tools),
    policyName: POLICY,
    log: access.world.log,
  })(event, aMinute);

it('makes the thing that says which fleet an identity watches, and attaches the policy', async () => {
  for (let time = 0; time < 2; time += 1) {
    expect(await admit({ identityId, fleet: 'acme' })).toEqual({ admitted: true });
  }
  expect(access.world.registry.thing(identityId)).toMatchObject({ attributes: { fleet: 'acme' } });
  expect(access.world.registry.principalsOf(identityId)).toEqual([identityId]);
  expect(access.world.registry.policiesOfTarget(identityId)).toMatchObject([{ name: POLICY }]);
});

it('shows no second fleet to an identity', async () => {
  await admit({ identityId, fleet: 'acme' });
  await expect(admit({ identityId, fleet: 'globex' })).rejects.toThrow('another fleet');
  expect(access.world.registry.thing(identityId)).toMatchObject({ attributes: { fleet: 'acme' } });
});

it.each([
  { what: 'a device', event: { identityId: 'probe-1', fleet: 'acme' } },
  { what: 'nobody', event: { fleet: 'acme' } },
  { what: 'every fleet', event: { identityId, fleet: '*' } },
])('admits not $what', async ({ event }) => {
  await expect(admit(event)).rejects.toThrow(/identityId|fleet/);
});
