import { describe, expect, it } from '@jest/globals';
import {
  type AuditedAccount,
  type AuditedAuthority,
  type AuditedCertificate,
  CHECK_NAMES,
  CHECKS,
  type CheckName,
  type ConnectionRecord,
  checkNamed,
  DEFAULT_SETTINGS,
  UNAVAILABLE,
} from '../../../../local/core/registry/index.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const ONE = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

const device = (changes: Partial<AuditedCertificate> = {}): AuditedCertificate => ({
  certificateId: ONE,
  status: 'ACTIVE',
  createdMs: NOW - 10 * DAY_MS,
  notAfterMs: NOW + 90 * DAY_MS,
  ...changes,
});

const authority = (changes: Partial<AuditedAuthority> = {}): AuditedAuthority => ({
  ...device({ certificateId: OTHER }),
  subject: 'CN=Fleet',
  issuer: 'CN=Root',
  serialNumber: '7',
  ...changes,
});

const connection = (changes: Partial<ConnectionRecord> = {}): ConnectionRecord => ({
  clientId: 'probe-1',
  principal: ONE,
  connectedMs: NOW - 1000,
  disconnectedMs: NOW - 500,
  disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
  ...changes,
});

const account = (changes: Partial<AuditedAccount> = {}): AuditedAccount => ({
  accountId: '000000000000',
  nowMs: NOW,
  certificates: [],
  authorities: [],
  policies: [],
  connections: [],
  loggingEnabled: true,
  ...changes,
});

const policy = (name: string, ...statements: object[]) => ({
  name,
  versionId: '1',
  document: { Version: '2012-10-17', Statement: statements },
});

/** A modulus with the mark: a power of 65537 modulo each of the small primes. */
const marked = (() => {
  const primes = [3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n, 41n, 43n, 47n, 53n, 59n, 61n];
  const more = [67n, 71n, 73n, 79n, 83n, 89n, 97n, 101n, 103n, 107n, 109n, 113n, 127n, 131n, 137n];
  const last = [139n, 149n, 151n, 157n, 163n, 167n];
  const product = [...primes, ...more, ...last].reduce((one, other) => one * other, 2n);
  return 65_537n ** 5n + product * 2n ** 1800n;
})();

interface World {
  readonly check: CheckName;
  readonly why: string;
  readonly account: AuditedAccount;
  readonly code: string;
}

const revokedIssuer = authority({ revoked: true });

const failing: readonly World[] = [
  {
    check: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
    why: 'a certificate with 30 days left',
    account: account({ certificates: [device({ notAfterMs: NOW + 30 * DAY_MS })] }),
    code: 'CERTIFICATE_APPROACHING_EXPIRATION',
  },
  {
    check: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
    why: 'an expired certificate',
    account: account({ certificates: [device({ notAfterMs: NOW })] }),
    code: 'CERTIFICATE_PAST_EXPIRATION',
  },
  {
    check: 'CA_CERTIFICATE_EXPIRING_CHECK',
    why: 'an authority with a week left',
    account: account({ authorities: [authority({ notAfterMs: NOW + 7 * DAY_MS })] }),
    code: 'CERTIFICATE_APPROACHING_EXPIRATION',
  },
  {
    check: 'DEVICE_CERTIFICATE_AGE_CHECK',
    why: 'a certificate of a year',
    account: account({ certificates: [device({ createdMs: NOW - 365 * DAY_MS })] }),
    code: 'CERTIFICATE_PAST_AGE_THRESHOLD',
  },
  {
    check: 'DEVICE_CERTIFICATE_KEY_QUALITY_CHECK',
    why: 'a key that can be factored',
    account: account({ certificates: [device({ rsaModulus: marked })] }),
    code: 'CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361',
  },
  {
    check: 'CA_CERTIFICATE_KEY_QUALITY_CHECK',
    why: 'an authority whose key can be factored',
    account: account({ authorities: [authority({ rsaModulus: marked })] }),
    code: 'CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361',
  },
  {
    check: 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK',
    why: 'an active certificate on the list of its issuer',
    account: account({ certificates: [device({ revoked: true })] }),
    code: 'CERTIFICATE_REVOKED_BY_ISSUER',
  },
  {
    check: 'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK',
    why: 'an active authority on the list of its issuer',
    account: account({ authorities: [authority({ revoked: true })] }),
    code: 'CERTIFICATE_REVOKED_BY_ISSUER',
  },
  {
    check: 'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK',
    why: 'a certificate in use whose issuer was revoked',
    account: account({
      certificates: [device({ caCertificateId: OTHER })],
      authorities: [revokedIssuer],
    }),
    code: 'INTERMEDIATE_CA_REVOKED_BY_ISSUER',
  },
  {
    check: 'DEVICE_CERTIFICATE_SHARED_CHECK',
    why: 'two client ids at once under one certificate',
    account: account({
      connections: [
        connection(),
        connection({ clientId: 'probe-2', connectedMs: NOW - 600, disconnectedMs: undefined }),
      ],
    }),
    code: 'CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES',
  },
  {
    check: 'CONFLICTING_CLIENT_IDS_CHECK',
    why: 'a connection that another under its client id ended',
    account: account({ connections: [connection({ disconnectReason: 'DUPLICATE_CLIENTID' })] }),
    code: 'DUPLICATE_CLIENT_ID_ACROSS_CONNECTIONS',
  },
  {
    check: 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK',
    why: 'a policy for all topics',
    account: account({
      policies: [policy('wide', { Effect: 'Allow', Action: 'iot:Publish', Resource: '*' })],
    }),
    code: 'ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS',
  },
  {
    check: 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK',
    why: 'a denial with a wildcard of MQTT',
    account: account({
      policies: [
        policy('odd', {
          Effect: 'Deny',
          Action: 'iot:Publish',
          Resource: 'arn:aws:iot:eu-central-1:000000000000:topic/a/#',
        }),
      ],
    }),
    code: 'POLICY_CONTAINS_MQTT_WILDCARDS_IN_DENY_STATEMENT',
  },
  {
    check: 'LOGGING_DISABLED_CHECK',
    why: 'an account that logs nothing',
    account: account({ loggingEnabled: false }),
    code: 'LOGGING_DISABLED',
  },
];

/** Near each failing world one that is as it should be. */
const passing: readonly Omit<World, 'code'>[] = [
  {
    check: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
    why: 'a certificate with more than 30 days left, and an expired one that is INACTIVE',
    account: account({
      certificates: [
        device({ notAfterMs: NOW + 30 * DAY_MS + 1 }),
        device({ notAfterMs: NOW - 1, status: 'INACTIVE' }),
      ],
    }),
  },
  {
    check: 'CA_CERTIFICATE_EXPIRING_CHECK',
    why: 'an authority with years left',
    account: account({ authorities: [authority({ notAfterMs: NOW + 900 * DAY_MS })] }),
  },
  {
    check: 'DEVICE_CERTIFICATE_AGE_CHECK',
    why: 'a certificate of less than a year',
    account: account({ certificates: [device({ createdMs: NOW - 365 * DAY_MS + 1 })] }),
  },
  {
    check: 'DEVICE_CERTIFICATE_KEY_QUALITY_CHECK',
    why: 'another RSA key, and a key that is not RSA',
    account: account({ certificates: [device({ rsaModulus: marked + 2n }), device()] }),
  },
  {
    check: 'CA_CERTIFICATE_KEY_QUALITY_CHECK',
    why: 'an authority with another RSA key',
    account: account({ authorities: [authority({ rsaModulus: marked + 2n })] }),
  },
  {
    check: 'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK',
    why: 'one that no list names, one without a list, and a revoked one that is REVOKED',
    account: account({
      certificates: [
        device({ revoked: false }),
        device(),
        device({ revoked: true, status: 'REVOKED' }),
      ],
    }),
  },
  {
    check: 'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK',
    why: 'a revoked authority that is INACTIVE',
    account: account({ authorities: [authority({ revoked: true, status: 'INACTIVE' })] }),
  },
  {
    check: 'INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK',
    why: 'a revoked issuer whose certificates are INACTIVE',
    account: account({
      certificates: [device({ caCertificateId: OTHER, status: 'INACTIVE' })],
      authorities: [revokedIssuer],
    }),
  },
  {
    check: 'DEVICE_CERTIFICATE_SHARED_CHECK',
    why: 'two client ids one after the other, and two at once under two certificates',
    account: account({
      connections: [
        connection(),
        connection({ clientId: 'probe-2', connectedMs: NOW - 500 }),
        connection({ clientId: 'probe-3', principal: OTHER }),
      ],
    }),
  },
  {
    check: 'CONFLICTING_CLIENT_IDS_CHECK',
    why: 'a client id that comes and goes by itself',
    account: account({ connections: [connection(), connection({ connectedMs: NOW - 400 })] }),
  },
  {
    check: 'IOT_POLICY_OVERLY_PERMISSIVE_CHECK',
    why: 'a policy for the topics of one device',
    account: account({
      policies: [
        policy('narrow', {
          Effect: 'Allow',
          Action: 'iot:Publish',
          Resource: `arn:aws:iot:eu-central-1:000000000000:topic/dt/\${iot:Connection.Thing.ThingName}/*`,
        }),
      ],
    }),
  },
  {
    check: 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK',
    why: 'a denial with a wildcard of policies',
    account: account({
      policies: [
        policy('plain', {
          Effect: 'Deny',
          Action: 'iot:Publish',
          Resource: 'arn:aws:iot:eu-central-1:000000000000:topic/a/*',
        }),
      ],
    }),
  },
  { check: 'LOGGING_DISABLED_CHECK', why: 'an account that logs', account: account() },
];

const run = (check: CheckName, audited: AuditedAccount) =>
  CHECKS[check]?.run(audited, DEFAULT_SETTINGS);

it.each(failing)('$check finds $why', ({ check, account: audited, code }) => {
  const result = run(check, audited);
  expect(result?.breaches.map((one) => one.reasonForNonComplianceCode)).toEqual([code]);
});

it.each(passing)('$check passes $why', ({ check, account: audited }) => {
  const result = run(check, audited);
  expect(result?.breaches).toEqual([]);
});

it('each check of AWS has both worlds here, or is named with what the laptop lacks for it', () => {
  const tried = new Set(failing.map(({ check }) => check));
  const clean = new Set(passing.map(({ check }) => check));
  for (const name of CHECK_NAMES) {
    expect([name, tried.has(name), clean.has(name)]).toEqual([
      name,
      UNAVAILABLE[name] === undefined,
      UNAVAILABLE[name] === undefined,
    ]);
  }
});

describe('a finding', () => {
  it('of a shared certificate names the client ids with their times, the newest first', () => {
    const audited = failing.find(({ check }) => check === 'DEVICE_CERTIFICATE_SHARED_CHECK');
    const [breach] =
      run('DEVICE_CERTIFICATE_SHARED_CHECK', audited?.account ?? account())?.breaches ?? [];
    expect(breach).toMatchObject({
      nonCompliantResource: {
        resourceType: 'DEVICE_CERTIFICATE',
        resourceIdentifier: { deviceCertificateId: ONE },
      },
      relatedResources: [
        {
          resourceType: 'CLIENT_ID',
          resourceIdentifier: { clientId: 'probe-2' },
          additionalInfo: { CONNECTION_TIME: String(NOW - 600) },
        },
        {
          resourceType: 'CLIENT_ID',
          resourceIdentifier: { clientId: 'probe-1' },
          additionalInfo: {
            CONNECTION_TIME: String(NOW - 1000),
            DISCONNECTION_TIME: String(NOW - 500),
          },
        },
      ],
    });
  });

  it('of a policy names its version, and the statement in words', () => {
    const wide = policy('wide', {
      Sid: 'All',
      Effect: 'Allow',
      Action: 'iot:*',
      Resource: '*',
    });
    const [breach] =
      run('IOT_POLICY_OVERLY_PERMISSIVE_CHECK', account({ policies: [wide] }))?.breaches ?? [];
    expect(breach?.nonCompliantResource).toEqual({
      resourceType: 'IOT_POLICY',
      resourceIdentifier: {
        policyVersionIdentifier: { policyName: 'wide', policyVersionId: '1' },
      },
    });
    expect(breach?.reasonForNonCompliance).toContain('Statement All: allows every resource');
  });
});

it.each([
  ['IoTPolicyPotentialMisConfigurationCheck', 'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK'],
  ['CaCertificateExpiringCheck', 'CA_CERTIFICATE_EXPIRING_CHECK'],
  ['NoSuchCheck', undefined],
])('CloudFormation’s %s is %s', (camel, name) => {
  expect(checkNamed(camel)).toBe(name);
});
