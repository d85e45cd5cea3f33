import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type PeerCertificate } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createAuthority,
  type DevelopmentPki,
  isSignedBy,
  openPki,
  PkiError,
  parseCertificate,
} from '../../../local/pki/index.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pki-'));
});
afterEach(() => rm(directory, { recursive: true }));

const open = (nowMs = START, extraNames: readonly string[] = []): Promise<DevelopmentPki> =>
  openPki({ directory, now: () => nowMs, extraNames });

describe('the development PKI', () => {
  it('makes authorities and a server certificate on the first run, and keeps them', async () => {
    const first = await open();
    const again = await open(START + DAY_MS);
    expect([again.caPem, again.deviceCaPem, again.server]).toEqual([
      first.caPem,
      first.deviceCaPem,
      first.server,
    ]);
    expect(parseCertificate(first.server.certificatePem)).toMatchObject({
      subjectAlternativeNames: {
        DNSName: ['localhost'],
        IPAddress: ['127.0.0.1', expect.anything()],
      },
      notAfterMs: START + 90 * DAY_MS,
      keyType: 'P-256',
      isAuthority: false,
    });
  });

  it('lets nobody but the owner read keys', async () => {
    const pki = await open();
    const modes = await Promise.all(
      (await readdir(pki.directory)).map(
        async (name) => [name, (await stat(join(pki.directory, name))).mode & 0o777] as const,
      ),
    );
    expect(Object.fromEntries(modes)).toEqual({
      'ca.key': 0o600,
      'ca.pem': 0o644,
      'device-ca.key': 0o600,
      'device-ca.pem': 0o644,
      'server.key': 0o600,
      'server.pem': 0o644,
    });
  });

  it('makes the server certificate anew close to its end, under the same authority', async () => {
    const first = await open();
    const later = await open(START + 61 * DAY_MS);
    expect(later.caPem).toBe(first.caPem);
    expect(parseCertificate(later.server.certificatePem).notAfterMs).toBe(START + 151 * DAY_MS);
  });

  it('makes everything anew when the authority is close to its end', async () => {
    const first = await open();
    const later = await open(START + 3500 * DAY_MS);
    expect(later.caPem).not.toBe(first.caPem);
    expect(await isSignedBy(later.server.certificatePem, later.caPem)).toBe(true);
  });

  it('makes the server certificate anew when it lacks a name', async () => {
    await open();
    const named = await open(START, ['iot.example.test', '192.0.2.7', '2001:db8::7']);
    const certificate = new X509Certificate(named.server.certificatePem);
    expect(certificate.checkHost('iot.example.test')).toBeDefined();
    expect(certificate.checkIP('2001:db8::7')).toBeDefined();
    const again = await open(START, ['2001:0db8:0::7']);
    expect(again.server).toEqual(named.server);
  });

  it.each([
    { file: 'ca.pem', content: 'nonsense', problem: 'cannot be read' },
    { file: 'server.key', content: '', problem: 'cannot be read' },
  ])('says which file is broken: $file', async ({ file, content, problem }) => {
    const pki = await open();
    await writeFile(join(pki.directory, file), content);
    await expect(open()).rejects.toThrow(PkiError);
    await expect(open()).rejects.toThrow(problem);
    await expect(open()).rejects.toThrow(file);
  });

  it('says when a key belongs to another certificate', async () => {
    const { directory: folder } = await open();
    await writeFile(join(folder, 'ca.key'), await readFile(join(folder, 'device-ca.key')));
    await expect(open()).rejects.toThrow(`ca.key is not the key of`);
  });
});

describe('a device certificate', () => {
  it('names thing and fleet, for 90 days, signed by the authority of devices', async () => {
    const pki = await open();
    const device = await pki.issueDevice({ thing: 't1', fleet: 'f,1 = O' });
    const facts = parseCertificate(device.certificatePem);
    expect(facts).toMatchObject({
      subject: { CommonName: ['t1'], Organization: ['f,1 = O'] },
      notAfterMs: START + 90 * DAY_MS,
      certificateId: device.certificateId,
    });
    expect(await isSignedBy(device.certificatePem, pki.deviceCaPem)).toBe(true);
    expect(await isSignedBy(device.certificatePem, pki.caPem)).toBe(false);
    expect(new X509Certificate(device.certificatePem).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it('differs each time, in key and serial number', async () => {
    const pki = await open();
    const [a, b] = [
      await pki.issueDevice({ thing: 't', fleet: 'f' }),
      await pki.issueDevice({ thing: 't', fleet: 'f' }),
    ];
    expect(parseCertificate(a.certificatePem).serialNumber).not.toBe(
      parseCertificate(b.certificatePem).serialNumber,
    );
    expect(a.privateKeyPem).not.toBe(b.privateKeyPem);
  });

  it('authenticates both ends of a TLS connection', async () => {
    const nowMs = Date.now();
    const pki = await open(nowMs);
    const device = await pki.issueDevice({ thing: 't1', fleet: 'f1' });
    const peer = await handshake(pki, device);
    expect(peer.subject).toMatchObject({ CN: 't1', O: 'f1' });
  });
});

/** Connects with a device's credential; the server answers with the peer it saw. */
function handshake(
  pki: DevelopmentPki,
  device: { readonly certificatePem: string; readonly privateKeyPem: string },
): Promise<PeerCertificate> {
  const server = createServer({
    cert: pki.server.certificatePem,
    key: pki.server.privateKeyPem,
    ca: pki.deviceCaPem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  return new Promise<PeerCertificate>((resolve, reject) => {
    server.on('secureConnection', (socket) => {
      resolve(socket.getPeerCertificate());
      socket.end();
    });
    server.on('tlsClientError', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const client = connect({
        port,
        host: '127.0.0.1',
        ca: pki.caPem,
        cert: device.certificatePem,
        key: device.privateKeyPem,
      });
      client.on('error', reject);
      client.resume();
    });
  }).finally(() => server.close());
}

describe('what the control plane issues', () => {
  it('is an RSA key and a certificate to the end of 2049, as AWS gives', async () => {
    const pki = await open();
    const issued = await pki.issueAsAws();
    expect(issued.privateKeyPem).toMatch(/^-----BEGIN RSA PRIVATE /);
    expect(createPublicKey(issued.publicKeyPem).asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(parseCertificate(issued.certificatePem)).toMatchObject({
      subject: { CommonName: ['AWS IoT Certificate'] },
      notAfterMs: Date.UTC(2049, 11, 31, 23, 59, 59),
      keyType: 'RSA-2048',
    });
  });
});

describe('isSignedBy', () => {
  it('is not taken in by another authority of the same name', async () => {
    const pki = await open();
    const device = await pki.issueDevice({ thing: 't1', fleet: 'f1' });
    const impostor = await createAuthority(
      [
        ['CN', 'Tributary Laptop Device CA'],
        ['O', 'Tributary development, trust nowhere else'],
      ],
      { notBeforeMs: START, notAfterMs: START + DAY_MS },
    );
    expect(await isSignedBy(device.certificatePem, impostor.certificatePem)).toBe(false);
  });
});
