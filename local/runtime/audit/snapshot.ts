import { X509Certificate } from 'node:crypto';
import type {
  AuditedAccount,
  AuditedAuthority,
  AuditedCertificate,
  Authority,
  Certificate,
} from '../../core/registry/index.ts';
import { parseCertificate } from '../../pki/index.ts';
import type { ConnectionHistory } from '../../stores/connection-history.ts';
import type { Registry } from '../../stores/registry.ts';
import type { Revocations } from './revocations.ts';

/** Where an audit finds what it looks at. */
export interface Sources {
  readonly registry: Registry;
  readonly history: ConnectionHistory;
  readonly loggingEnabled: () => boolean;
  readonly accountId: string;
  readonly now: () => number;
}

/** The account as it is now. */
export async function snapshotOf(
  { registry, history, loggingEnabled, accountId, now }: Sources,
  { revocations, sinceMs }: { readonly revocations: Revocations; readonly sinceMs: number },
): Promise<AuditedAccount> {
  const issuerOf = ({ caCertificateId }: Certificate) =>
    caCertificateId === undefined ? undefined : registry.authority(caCertificateId)?.pem;
  const certificates = registry.listCertificates().map(async (one) => ({
    ...(await audited(one, issuerOf(one), revocations)),
    caCertificateId: one.caCertificateId,
  }));
  const authorities = registry.listAuthorities();
  const pems = new Map(authorities.map(({ pem }) => [parseCertificate(pem).subjectText, pem]));
  return {
    accountId,
    nowMs: now(),
    certificates: await Promise.all(certificates),
    authorities: await Promise.all(
      authorities.map((one) => auditedAuthority(one, pems, revocations)),
    ),
    policies: registry.listPolicies().map(({ policyName, defaultVersionId }) => ({
      name: policyName,
      versionId: defaultVersionId,
      document: JSON.parse(registry.defaultDocument(policyName) ?? '{}'),
    })),
    connections: history.since(sinceMs),
    loggingEnabled: loggingEnabled(),
  };
}

async function audited(
  { certificateId, status, createdMs, notAfterMs, pem }: Certificate | Authority,
  issuerPem: string | undefined,
  revocations: Revocations,
): Promise<AuditedCertificate> {
  const revoked = await revocations(pem, issuerPem);
  return { certificateId, status, createdMs, notAfterMs, revoked, rsaModulus: modulusOf(pem) };
}

async function auditedAuthority(
  authority: Authority,
  pems: ReadonlyMap<string, string>,
  revocations: Revocations,
): Promise<AuditedAuthority> {
  const { subjectText, issuerText, serialNumber } = parseCertificate(authority.pem);
  return {
    ...(await audited(authority, pems.get(issuerText), revocations)),
    subject: subjectText,
    issuer: issuerText,
    serialNumber,
  };
}

function modulusOf(pem: string): bigint | undefined {
  const { n } = new X509Certificate(pem).publicKey.export({ format: 'jwk' });
  return n === undefined ? undefined : BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);
}
