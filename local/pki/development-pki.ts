import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateFacts, parseCertificate } from './certificate.ts';
import {
  type Credential,
  createAuthority,
  issueClient,
  issueRsaClient,
  issueServer,
  type NameParts,
  signRequest,
  type Validity,
} from './issue.ts';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 90;
/** How long before its end a certificate is made anew. */
const RENEW_AUTHORITY_DAYS = 180;
const RENEW_SERVER_DAYS = 30;
/** Clocks of devices may be a little behind. */
const BACKDATED_MS = 5 * 60_000;
/** What AWS IoT writes into certificates it issues. */
const AWS_NOT_AFTER_MS = Date.UTC(2049, 11, 31, 23, 59, 59);

export interface DeviceCredential extends Credential {
  readonly certificateId: string;
  readonly notAfterMs: number;
}

/**
 * The laptop's certificates. Two authorities, as in the cloud: `root` stands for Amazon's, signs the servers and
 * what the control plane issues; `deviceAuthority` stands for the fleet owner's, signs devices.
 */
export interface DevelopmentPki {
  /** Where the files are; `ca.pem` is what clients trust. */
  readonly directory: string;
  readonly caFile: string;
  readonly caPem: string;
  readonly deviceCaPem: string;
  readonly server: Credential;
  /** Another server certificate, for a domain of its own. */
  readonly issueServer: (names: readonly string[]) => Promise<Credential>;
  /** CN = thing, O = fleet, for 90 days from now. */
  readonly issueDevice: (device: {
    readonly thing: string;
    readonly fleet: string;
    readonly days?: number;
  }) => Promise<DeviceCredential>;
  /** Signs a device's own request with the fleet owner's authority; the subject is ours, not the request's. */
  readonly signDeviceRequest: (device: {
    readonly thing: string;
    readonly fleet: string;
    readonly requestPem: string;
    readonly days?: number;
  }) => Promise<string>;
  /** As CreateKeysAndCertificate: RSA key, valid to the end of 2049. */
  readonly issueAsAws: () => Promise<Credential & { readonly publicKeyPem: string }>;
  /** As CreateCertificateFromCsr: the request's subject, valid to the end of 2049. */
  readonly signAsAws: (requestPem: string) => Promise<string>;
}

/** The files cannot be used; the message says which and what to do. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
}

export interface PkiOptions {
  /** The data directory; the certificates go into its folder `pki`. */
  readonly directory: string;
  readonly now: () => number;
  /** Names the server is reached by besides `localhost`, `127.0.0.1` and `::1`. */
  readonly extraNames?: readonly string[];
}

/**
 * Opens `<directory>/pki`, making what is missing or close to its end. Keys are readable by their owner only.
 *
 * @throws {PkiError} when a file is there and is not what it must be
 */
export async function openPki(options: PkiOptions): Promise<DevelopmentPki> {
  const { now } = options;
  const directory = join(options.directory, 'pki');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...(options.extraNames ?? [])])];
  const root = await authority(directory, 'ca', 'Tributary Laptop Root CA', now());
  const devices = await authority(directory, 'device-ca', 'Tributary Laptop Device CA', now());
  const server = await keep(directory, 'server', {
    fits: (facts) => isServerFor(names, root, facts) && endsLater(facts, now(), RENEW_SERVER_DAYS),
    create: () => issueServer(root, names, validFor(now(), LEAF_DAYS)),
  });
  return {
    directory,
    caFile: join(directory, 'ca.pem'),
    caPem: root.certificatePem,
    deviceCaPem: devices.certificatePem,
    server,
    issueServer: (others) => issueServer(root, others, validFor(now(), LEAF_DAYS)),
    ...issuing(root, devices, now),
  };
}

const issuing = (root: Credential, devices: Credential, now: () => number) => ({
  issueDevice: async ({ thing, fleet, days = LEAF_DAYS }: Device): Promise<DeviceCredential> => {
    const credential = await issueClient(devices, subjectOf(thing, fleet), validFor(now(), days));
    const { certificateId, notAfterMs } = parseCertificate(credential.certificatePem);
    return { ...credential, certificateId, notAfterMs };
  },
  signDeviceRequest: ({
    thing,
    fleet,
    requestPem,
    days = LEAF_DAYS,
  }: Device & { requestPem: string }) =>
    signRequest(devices, requestPem, validFor(now(), days), subjectOf(thing, fleet)),
  issueAsAws: () => issueRsaClient(root, [['CN', 'AWS IoT Certificate']], asAws(now())),
  signAsAws: (requestPem: string) => signRequest(root, requestPem, asAws(now())),
});

interface Device {
  readonly thing: string;
  readonly fleet: string;
  readonly days?: number;
}

const subjectOf = (thing: string, fleet: string): NameParts => [
  ['CN', thing],
  ['O', fleet],
];

const validFor = (nowMs: number, days: number): Validity => ({
  notBeforeMs: nowMs - BACKDATED_MS,
  notAfterMs: nowMs + days * DAY_MS,
});

const asAws = (nowMs: number): Validity => ({
  notBeforeMs: nowMs - BACKDATED_MS,
  notAfterMs: AWS_NOT_AFTER_MS,
});

const endsLater = ({ notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number, days: number) =>
  notBeforeMs <= nowMs && notAfterMs > nowMs + days * DAY_MS;

function isServerFor(names: readonly string[], root: Credential, facts: CertificateFacts): boolean {
  const { DNSName = [], IPAddress = [] } = facts.subjectAlternativeNames;
  const present = new Set([...DNSName, ...IPAddress].map(canonical));
  const certificate = new X509Certificate(facts.pem);
  const signed = certificate.checkIssued(new X509Certificate(root.certificatePem));
  return signed && names.every((name) => present.has(canonical(name)));
}

/** `::1` and its long form are one address. */
const canonical = (name: string): string =>
  name.includes(':') ? new URL(`http://[${name}]`).hostname : name.toLowerCase();

const authority = (directory: string, name: string, commonName: string, nowMs: number) =>
  keep(directory, name, {
    fits: (facts) => facts.isAuthority && endsLater(facts, nowMs, RENEW_AUTHORITY_DAYS),
    create: () =>
      createAuthority(
        [
          ['CN', commonName],
          ['O', 'Tributary development, trust nowhere else'],
        ],
        validFor(nowMs, AUTHORITY_DAYS),
      ),
  });

interface Keeping {
  readonly fits: (facts: CertificateFacts) => boolean;
  readonly create: () => Promise<Credential>;
}

/** What is on disk where it still fits, otherwise something new, on disk. */
async function keep(
  directory: string,
  name: string,
  { fits, create }: Keeping,
): Promise<Credential> {
  const paths = {
    certificate: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  };
  const stored = await load(paths);
  if (stored !== undefined && fits(parseCertificate(stored.certificatePem))) return stored;
  const made = await create();
  await writeWhole(paths.key, made.privateKeyPem, 0o600);
  await writeWhole(paths.certificate, made.certificatePem, 0o644);
  return made;
}

async function load(paths: {
  readonly certificate: string;
  readonly key: string;
}): Promise<Credential | undefined> {
  const [certificatePem, privateKeyPem] = await Promise.all([
    readText(paths.certificate),
    readText(paths.key),
  ]);
  if (certificatePem === undefined || privateKeyPem === undefined) return undefined;
  try {
    if (new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem)))
      return { certificatePem, privateKeyPem };
  } catch (error) {
    throw new PkiError(`${paths.certificate} or ${paths.key} cannot be read; ${REMEDY}`, {
      cause: error,
    });
  }
  throw new PkiError(`${paths.key} is not the key of ${paths.certificate}; ${REMEDY}`);
}

const REMEDY =
  'delete both to have them made anew (an authority then signs nothing that exists already)';

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, text, { mode });
  await rename(draft, path);
}
