import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { dashboard } from '../../functions/dashboard/dashboard.ts';
import { expiry } from '../../functions/expiry/expiry.ts';
import { provision } from '../../functions/provision/provision.ts';
import { register } from '../../functions/register/register.ts';
import { rotation } from '../../functions/rotation/rotation.ts';
import { compilePolicies, decide } from '../../local/core/policy/index.ts';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { deviceSecrets } from '../../shared/adapters/access/device-secrets.ts';
import { enrolmentTable } from '../../shared/adapters/access/enrolment-table.ts';
import { expiryTable } from '../../shared/adapters/access/expiry-table.ts';
import { peppers } from '../../shared/adapters/access/pepper.ts';
import { registry as registryAdapter } from '../../shared/adapters/access/registry.ts';
import { rotationTable } from '../../shared/adapters/access/rotation-table.ts';
import { secretDesk } from '../../shared/adapters/access/secret-desk.ts';
import { secretTable } from '../../shared/adapters/access/secret-table.ts';
import { denials } from '../../shared/adapters/security/denials.ts';
import { parseAuthorities } from '../../shared/core/access/authorities.ts';
import {
  aMinute,
  eachAccessWorld,
  INCIDENTS,
  idOf,
  KEYS,
  NOW_MS,
  POLICY,
  queueEvent,
  TABLE,
} from '../support/access-world.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';
import { list, statementsOf } from './statements.ts';

const STACK = {
  accountId: '000000000000',
  region: 'eu-central-1',
  partition: 'aws',
  stackName: 'tributary-prod',
};
const { template } = packageService({ stage: 'prod', params: EVERYTHING });
const { resources } = resolveTemplate(template, STACK);

const access = eachAccessWorld();

const registry = () => registryAdapter(access.world.iot, access.world.tools);
const rotations = () => rotationTable(access.world.db, TABLE, access.world.tools);
const PROBE_1 = [
  ['CN', 'probe-1'],
  ['O', 'acme'],
] as const;

/** All that each function ever does, in one run. */
const RUNS: Readonly<Record<string, () => Promise<unknown>>> = {
  async RegisterRole() {
    const { ours } = access.authorities;
    const list = [{ id: idOf(ours.certificatePem), fleets: ['acme'] }];
    const met = [await access.world.meet(ours, PROBE_1), await access.world.meet(ours, PROBE_1)];
    const bodies = met.map(({ announcement }) => announcement);
    await register({
      authorities: parseAuthorities(JSON.stringify(list)),
      registry: registry(),
      rotations: rotations(),
      denialOf: denials(access.world.db, INCIDENTS),
      policyNames: [POLICY],
      log: access.world.log,
      now: access.world.now,
    })(queueEvent('registrations', bodies), aMinute);
  },
  async RotationRole() {
    await access.world.addDevice('probe-1', 'acme');
    const next = await access.world.addDevice('probe-1', 'acme');
    await rotations().begin('probe-1', next.id, NOW_MS, () => 60_000);
    access.world.needs.length = 0;
    const body = { clientId: 'probe-1', principalIdentifier: next.id };
    const deps = { rotations: rotations(), registry: registry(), policyNames: [POLICY] };
    await rotation({ ...deps, log: access.world.log })(queueEvent('connections', [body]), aMinute);
  },
  async ExpiryRole() {
    await access.world.addDevice('probe-1', 'acme');
    await expiry({
      registry: registry(),
      table: expiryTable(access.world.db, TABLE, access.world.tools),
      policyName: POLICY,
      stage: 'prod',
      log: access.world.log,
      now: access.world.now,
      sleep: async () => undefined,
    })({ tick: 'begin' }, aMinute);
  },
  async ProvisionRole() {
    const enrolments = enrolmentTable(access.world.db, TABLE);
    await enrolments.expect('SN-1', { thing: 'probe-1', fleet: 'acme' });
    access.world.needs.length = 0;
    const { id, pem } = await access.world.meet(access.authorities.ours, PROBE_1);
    const templateName = 'tributary-prod-claim';
    const answer = await provision({
      ...{ enrolments, templateName, log: access.world.log, now: access.world.now },
      denialOf: denials(access.world.db, INCIDENTS),
    })({
      claimCertificateId: id,
      certificateId: id,
      certificatePem: pem,
      templateArn: `arn:aws:iot:eu-central-1:000000000000:provisioningtemplate/${templateName}`,
      clientId: 'claim-SN-1',
      parameters: { SerialNumber: 'SN-1' },
    });
    expect(answer.allowProvisioning).toBe(true);
  },
  async AuthorizeUnsignedRole() {
    const table = secretTable(access.world.db, TABLE);
    const opener = () =>
      peppers(
        access.world.kms,
        table,
        { keyId: access.world.keyId, tableName: TABLE },
        access.world.now,
      );
    const desk = secretDesk({ table, pepper: opener(), randomBytes, now: access.world.now });
    const { text } = await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    access.world.needs.length = 0;
    await deviceSecrets(table, opener(), access.world.now)(text);
    await denials(access.world.db, INCIDENTS)('probe-1');
  },
  async AuthorizeRole() {
    await denials(access.world.db, INCIDENTS)('probe-1');
  },
  async DashboardRole() {
    const identityId = 'eu-central-1:7d5f6f0e-6a3c-4bd0-9df2-3b0f7f6f7d20';
    const deps = { registry: registry(), policyName: POLICY, log: access.world.log };
    await dashboard(deps)({ identityId, fleet: 'acme' }, aMinute);
  },
};
const roles = Object.keys(RUNS);

/** What the event source, the runtime and the tracing take in the function's name. */
const OF_THE_RUNTIME = /^(?:logs|xray|sqs):/;

const policiesOf = (roleId: string) => {
  const role = resources.get(roleId);
  const inline = list(role?.properties['Policies']) as { PolicyDocument: unknown }[];
  const beside = [...resources.values()]
    .filter(({ type, properties }) => {
      const named = list(properties['Roles']);
      return type === 'AWS::IAM::Policy' && named.includes(role?.name);
    })
    .map(({ properties }) => ({ PolicyDocument: properties['PolicyDocument'] }));
  return [...inline, ...beside].map(({ PolicyDocument }, at) => ({
    name: `${roleId} ${at}`,
    document: PolicyDocument,
  }));
};

/** The world is of stage dev, with keys of its own. */
const inProd = (text: string): string =>
  text
    .replace(KEYS.data, resources.get('DataKey')?.arn ?? '')
    .replace(KEYS.pepper, resources.get('PepperKey')?.arn ?? '')
    .replaceAll('tributary-dev', 'tributary-prod');

describe.each(roles)('%s', (roleId) => {
  it('grants every call of its function', async () => {
    await RUNS[roleId]?.();
    const policies = compilePolicies(policiesOf(roleId), 'iam');
    const refused = access.world.needs
      .map(({ action, resource, context = {} }) => {
        const there = Object.entries(context).map(([key, value]) => [key, inProd(String(value))]);
        const asked = {
          action,
          resource: inProd(resource),
          context: Object.fromEntries(there) as Record<string, string>,
        };
        return { action, resource, ...decide(policies, asked) };
      })
      .filter(({ allowed }) => !allowed)
      .map(({ action, resource }) => `${action} on ${resource}`);
    expect(access.world.needs).not.toEqual([]);
    expect(refused).toEqual([]);
  });

  it('grants nothing that its function does not call', async () => {
    await RUNS[roleId]?.();
    const used = new Set(access.world.needs.map(({ action }) => action));
    const beside = roleId === 'AuthorizeUnsignedRole' ? ['OpenPepperPolicy'] : [];
    const granted = statementsOf(template)
      .filter(
        ({ resourceId, kind }) => [roleId, ...beside].includes(resourceId) && kind !== 'trust',
      )
      .flatMap(({ actions }) => actions)
      .filter((action) => !OF_THE_RUNTIME.test(action));
    expect(granted.filter((action) => !used.has(action))).toEqual([]);
  });
});
