import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import {
  type Credential,
  createAuthority,
  issueClient,
  parseCertificate,
} from '../../../../local/pki/index.ts';
import { justInTime } from '../../../../local/runtime/broker/just-in-time.ts';
import { createRegistry } from '../../../../local/stores/registry.ts';

const NOW_MS = 1_790_000_000_000;
const ACCOUNT = '000000000000';
const VALIDITY = { notBeforeMs: NOW_MS - 1_000, notAfterMs: NOW_MS + 86_400_000 };

let authority: Credential;
let device: X509Certificate;
let deviceId: string;
let caId: string;
beforeAll(async () => {
  authority = await createAuthority([['CN', 'Fleet CA']], VALIDITY);
  const { certificatePem } = await issueClient(authority, [['CN', 'probe-1']], VALIDITY);
  device = new X509Certificate(certificatePem);
  deviceId = parseCertificate(certificatePem).certificateId;
  caId = parseCertificate(authority.certificatePem).certificateId;
});

function setup(flags: { active?: boolean; autoRegistration?: boolean } = {}) {
  const clock = { ms: NOW_MS };
  const now = () => clock.ms;
  const registry = createRegistry({ now, accountId: ACCOUNT, region: 'eu-central-1' });
  registry.addAuthority({
    reading: parseCertificate(authority.certificatePem),
    active: true,
    autoRegistration: true,
    certificateMode: 'SNI_ONLY',
    ...flags,
  });
  return { registry, clock, meet: justInTime({ registry, accountId: ACCOUNT, now }) };
}

it('registers a newcomer as PENDING_ACTIVATION and announces it', () => {
  const { registry, meet } = setup();
  expect(meet(device)).toEqual({
    topic: `$aws/events/certificates/registered/${caId}`,
    body: {
      certificateId: deviceId,
      caCertificateId: caId,
      timestamp: NOW_MS,
      certificateStatus: 'PENDING_ACTIVATION',
      awsAccountId: ACCOUNT,
      certificateRegistrationTimestamp: String(NOW_MS),
    },
  });
  expect(registry.certificate(deviceId)).toMatchObject({
    status: 'PENDING_ACTIVATION',
    caCertificateId: caId,
  });
});

it('announces it again at each try, until its state is another', () => {
  const { registry, clock, meet } = setup();
  meet(device);
  clock.ms += 5_000;
  expect(meet(device)?.body).toMatchObject({
    timestamp: NOW_MS + 5_000,
    certificateRegistrationTimestamp: String(NOW_MS),
  });
  registry.updateCertificate(deviceId, 'REVOKED');
  expect(meet(device)).toBeUndefined();
  expect(registry.certificate(deviceId)?.status).toBe('REVOKED');
});

it.each([
  { what: 'is not active', flags: { active: false } },
  { what: 'registers nobody by itself', flags: { autoRegistration: false } },
])('leaves alone what an authority signed that $what', ({ flags }) => {
  const { registry, meet } = setup(flags);
  expect(meet(device)).toBeUndefined();
  expect(registry.certificate(deviceId)).toBeUndefined();
});

it('leaves alone what another authority of the same name signed', async () => {
  const { meet } = setup();
  const impostor = await createAuthority([['CN', 'Fleet CA']], VALIDITY);
  const { certificatePem } = await issueClient(impostor, [['CN', 'probe-1']], VALIDITY);
  expect(meet(new X509Certificate(certificatePem))).toBeUndefined();
});
