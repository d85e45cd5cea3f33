import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { declareAuthorizers, declareDomains } from '../../../local/boot/access.ts';
import { resolveTemplate } from '../../../local/core/template/index.ts';
import { type DevelopmentPki, openPki } from '../../../local/pki/index.ts';
import { createAuthorizerStore } from '../../../local/stores/authorizer-store.ts';
import { KEY } from '../core/authorizer/token-world.ts';

const PLACE = { accountId: '000000000000', region: 'eu-central-1' };
const FUNCTION = 'arn:aws:lambda:eu-central-1:000000000000:function:authorize';

const folder = mkdtempSync(join(tmpdir(), 'tributary-access-'));
let pki: DevelopmentPki;
beforeAll(async () => {
  pki = await openPki({ directory: folder, now: Date.now });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function declare(authorizer: object, domain?: object) {
  const Resources = {
    A: {
      Type: 'AWS::IoT::Authorizer',
      Properties: { AuthorizerName: 'a', AuthorizerFunctionArn: FUNCTION, ...authorizer },
    },
    ...(domain && { D: { Type: 'AWS::IoT::DomainConfiguration', Properties: domain } }),
  };
  const stack = resolveTemplate({ Resources }, { ...PLACE, partition: 'aws', stackName: 's' });
  const store = createAuthorizerStore({ ...PLACE, now: () => 0 });
  declareAuthorizers(stack, store);
  return { store, domains: await declareDomains(stack, { pki, authorizers: store }) };
}

const UNSIGNED = { SigningDisabled: true, Status: 'ACTIVE' };
const SIGNED = { TokenKeyName: 'token', TokenSigningPublicKeys: { k: KEY.publicPem } };

it('an authorizer is as the template has it, and inactive where that says nothing', async () => {
  const { store } = await declare(SIGNED);
  expect(store.find('a')).toMatchObject({ status: 'INACTIVE', signingDisabled: false });
});

it('a domain without a name gets one of its own, and what AWS leaves open', async () => {
  const { domains } = await declare(UNSIGNED, { DomainConfigurationName: 'd' });
  expect(domains).toMatchObject([
    {
      type: 'AWS_MANAGED',
      endpoint: {
        domainName: 'd.iot.localhost',
        authentication: 'DEFAULT',
        application: 'DEFAULT',
        securityPolicy: 'IoTSecurityPolicy_TLS13_1_2_2022_10',
      },
    },
  ]);
});

it.each<[string, object, object | undefined, RegExp]>([
  ['signed tokens without keys', { TokenKeyName: 'token' }, undefined, /needs tokenKeyName and/],
  ['a key that is none', { ...SIGNED, TokenSigningPublicKeys: { k: 'x' } }, undefined, /RSA key/],
  ['no function', { ...UNSIGNED, AuthorizerFunctionArn: 'f' }, undefined, /ARN of a function/],
  ['a property that nobody knows', { ...UNSIGNED, Shape: 1 }, undefined, /Shape/],
  [
    'a pair that is none',
    UNSIGNED,
    { AuthenticationType: 'AWS_SIGV4', ApplicationProtocol: 'SECURE_MQTT' },
    /MQTT_WSS or HTTPS/,
  ],
  [
    'another authorizer',
    UNSIGNED,
    { AuthorizerConfig: { DefaultAuthorizerName: 'x' } },
    /called x/,
  ],
  [
    'another TLS policy',
    UNSIGNED,
    { TlsConfig: { SecurityPolicy: 'x' } },
    /none of IoTSecurityPolicy/,
  ],
  ['a callback', UNSIGNED, { ClientCertificateConfig: {} }, /ClientCertificateConfig/],
])('%s is refused by name', async (_, authorizer, domain, told) => {
  await expect(declare(authorizer, domain)).rejects.toThrow(told);
});
