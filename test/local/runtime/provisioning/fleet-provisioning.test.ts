import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseTemplateBody } from '../../../../local/core/provisioning/template-body.ts';
import { createRequest, type DevelopmentPki, openPki } from '../../../../local/pki/index.ts';
import type { InvokeResult } from '../../../../local/runtime/lambda.ts';
import {
  type FleetProvisioningOptions,
  fleetProvisioning,
  type ProvisioningTemplate,
} from '../../../../local/runtime/provisioning/fleet-provisioning.ts';
import { createRegistry } from '../../../../local/stores/registry.ts';

const CREATE = '$aws/certificates/create-from-csr/json';
const PROVISION = '$aws/provisioning-templates/claim/provision/json';
const HOUR_MS = 3_600_000;

const BODY = {
  Parameters: {
    Name: { Type: 'String' },
    'AWS::IoT::Certificate::Id': { Type: 'String' },
  },
  Resources: {
    certificate: {
      Type: 'AWS::IoT::Certificate',
      Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' } },
    },
    thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: 'Name' } } },
  },
};
const TEMPLATE: ProvisioningTemplate = {
  name: 'claim',
  arn: 'arn:aws:iot:eu-central-1:000000000000:provisioningtemplate/claim',
  enabled: true,
  roleArn: 'arn:aws:iam::000000000000:role/claim',
  body: parseTemplateBody(JSON.stringify(BODY)),
  hookArn: 'arn:aws:lambda:eu-central-1:000000000000:function:provision',
};

const folder = mkdtempSync(join(tmpdir(), 'provisioning-'));
let pki: DevelopmentPki;
let request: string;
beforeAll(async () => {
  pki = await openPki({ directory: folder, now: () => 0 });
  request = (await createRequest({ thing: 'probe-1', fleet: 'acme' })).requestPem;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const says = (payload: unknown): InvokeResult => ({ ok: true, payload, requestId: 'r' });

function setup(change: Partial<FleetProvisioningOptions & ProvisioningTemplate> = {}) {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const registry = createRegistry({ now, accountId: '000000000000', region: 'eu-central-1' });
  const warnings: string[] = [];
  const events: object[] = [];
  let tokens = 0;
  const topics = fleetProvisioning({
    templates: [{ ...TEMPLATE, ...('enabled' in change && { enabled: change.enabled === true }) }],
    registry,
    pki,
    invokeHook: async (_, event) => {
      events.push(event);
      return says({ allowProvisioning: true, parameterOverrides: { Name: 'probe-1' } });
    },
    lacking: () => undefined,
    sleep: () => new Promise(() => undefined),
    now,
    token: () => `token-${++tokens}`,
    warn: (message) => warnings.push(message),
    ...change,
  });
  const ask = async (topic: string, body: object | string) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const asked = { topic, payload: Buffer.from(text), clientId: 'claim-1', principal: 'claim' };
    const { payload, ...answer } = await topics.ask(asked);
    return { ...answer, body: JSON.parse(Buffer.from(payload).toString()) };
  };
  const create = async (): Promise<{ certificateOwnershipToken: string; certificateId: string }> =>
    (await ask(CREATE, { certificateSigningRequest: request })).body;
  const provision = (certificateOwnershipToken: string, parameters: object = {}) =>
    ask(PROVISION, { certificateOwnershipToken, parameters });
  return { topics, registry, clock, warnings, events, ask, create, provision };
}

it('serves what its templates have, and nothing else', () => {
  const { topics } = setup();
  expect([CREATE, PROVISION].map(topics.takes)).toEqual([true, true]);
  const others = ['$aws/certificates/create/json', PROVISION.replace('claim', 'other')];
  expect(others.map(topics.takes)).toEqual([false, false]);
  expect(topics.answersOn(`${PROVISION}/accepted`)).toBe(true);
  expect(topics.answersOn('$aws/provisioning-templates/#')).toBe(false);
});

it('asks the hook about who claims, and takes the name from it', async () => {
  const { registry, events, create, provision } = setup();
  const { certificateOwnershipToken, certificateId } = await create();
  expect(registry.certificate(certificateId)?.status).toBe('PENDING_ACTIVATION');
  const { topic } = await provision(certificateOwnershipToken, { Name: 'somebody-else' });
  expect(topic).toBe(`${PROVISION}/accepted`);
  expect(events).toMatchObject([
    {
      ...{ claimCertificateId: 'claim', clientId: 'claim-1', templateArn: TEMPLATE.arn },
      ...{ certificateId, parameters: { Name: 'somebody-else' } },
    },
  ]);
  expect(registry.thingsOf(certificateId)).toEqual(['probe-1']);
  expect(registry.certificate(certificateId)?.status).toBe('ACTIVE');
});

describe('nothing is made', () => {
  it.each<[string, Parameters<typeof setup>[0], RegExp]>([
    ['while the template is not enabled', { enabled: false }, /not enabled/],
    [
      'when the hook says no',
      { invokeHook: async () => says({ allowProvisioning: false }) },
      /answered so/,
    ],
    ['when it answers nonsense', { invokeHook: async () => says('yes') }, /answered wrongly/],
    ['without a permission for it', { invokeHook: async () => 'not permitted' }, /Permission/],
    [
      'when it takes longer than five seconds',
      { invokeHook: () => new Promise(() => undefined), sleep: async () => undefined },
      /within 5 s/,
    ],
    [
      'when the role of the template lacks a grant',
      { lacking: (_, action) => (action === 'iot:CreateThing' ? 'no such grant' : undefined) },
      /no such grant/,
    ],
  ])('%s', async (_, change, why) => {
    const { registry, warnings, create, provision } = setup(change);
    const { certificateOwnershipToken, certificateId } = await create();
    expect(await provision(certificateOwnershipToken)).toMatchObject({
      topic: `${PROVISION}/rejected`,
      body: { statusCode: 403, errorCode: 'AccessDenied' },
    });
    expect(warnings.join('\n')).toMatch(why);
    expect(registry.listThings()).toEqual([]);
    expect(registry.certificate(certificateId)?.status).toBe('PENDING_ACTIVATION');
  });

  it('with a token that is older than an hour, and the certificate is gone', async () => {
    const { registry, clock, create, provision } = setup();
    const { certificateOwnershipToken, certificateId } = await create();
    clock.ms += HOUR_MS;
    expect((await provision(certificateOwnershipToken)).body).toMatchObject({
      errorCode: 'InvalidCertificateOwnershipToken',
    });
    expect(registry.certificate(certificateId)).toBeUndefined();
  });

  it.each([
    { what: 'no JSON', topic: CREATE, body: '{' },
    { what: 'no request', topic: CREATE, body: {} },
    { what: 'a request that is none', topic: CREATE, body: { certificateSigningRequest: 'x' } },
    { what: 'no token', topic: PROVISION, body: { parameters: {} } },
    {
      what: 'parameters that are no texts',
      topic: PROVISION,
      body: { certificateOwnershipToken: 't', parameters: { Name: 1 } },
    },
  ])('of $what', async ({ topic, body }) => {
    const { ask } = setup();
    expect(await ask(topic, body)).toMatchObject({
      topic: `${topic}/rejected`,
      body: { statusCode: 400 },
    });
  });
});
