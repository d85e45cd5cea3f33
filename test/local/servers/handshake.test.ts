import { request } from 'node:https';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Credential,
  createAuthority,
  issueClient,
  type Validity,
} from '../../../local/pki/index.ts';
import { connected, deviceCertificate, openWorld, until, type World } from './gateway-world.ts';

const DAY_MS = 86_400_000;

const validity = (fromDays: number, toDays: number): Validity => ({
  notBeforeMs: Date.now() + fromDays * DAY_MS,
  notAfterMs: Date.now() + toDays * DAY_MS,
});

let world: World;

beforeEach(async () => {
  world = await openWorld();
});

afterEach(() => world.close());

/** What a TLS client sees: how the handshake and a CONNECT thereafter end. */
function attempt(credential: Partial<Credential>, more: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: world.ports.mqttPort,
      servername: 'localhost',
      ca: world.ca.certificatePem,
      cert: credential.certificatePem,
      key: credential.privateKeyPem,
      ...more,
    });
    socket.on('secureConnect', () =>
      socket.write(Buffer.from('100e00044d5154540402003c00027431', 'hex')),
    );
    socket.on('data', (bytes: Buffer) => resolve(`answered ${bytes.toString('hex')}`));
    socket.on('error', (error: Error & { code?: string }) => resolve(`error ${error.code}`));
    socket.on('close', () => resolve('closed'));
  });
}

const registered = (
  credential: Credential,
  status: 'ACTIVE' | 'INACTIVE' | 'PENDING_ACTIVATION',
): Credential => {
  world.registry.add('t1', credential.certificatePem, status);
  return credential;
};

const revoked = (credential: Credential): Credential => {
  registered(credential, 'ACTIVE');
  world.registry.setStatus(credential.certificatePem, 'REVOKED');
  return credential;
};

const otherCa = async (thing: string): Promise<Credential> => {
  const ca = await createAuthority([['CN', 'Test CA']], validity(-1, 1));
  return issueClient(
    ca,
    [
      ['CN', thing],
      ['O', 'f1'],
    ],
    validity(-1, 1),
  );
};

type Case = readonly [
  what: string,
  make: () => Promise<Partial<Credential>>,
  reason: string,
  told: RegExp,
];

const REFUSED: readonly Case[] = [
  ['no certificate', async () => ({}), 'NO_CERTIFICATE', /certificate and key of a device/],
  [
    'one that has expired',
    async () => registered(await deviceCertificate('t1', validity(-9, -1)), 'ACTIVE'),
    'EXPIRED',
    /ended on \d{4}-.*make a new one/,
  ],
  [
    'one that is not yet valid',
    async () => registered(await deviceCertificate('t1', validity(1, 9)), 'ACTIVE'),
    'NOT_YET_VALID',
    /valid from \d{4}-.*clock/,
  ],
  [
    'one of our CA that is not registered',
    () => deviceCertificate('t1'),
    'NOT_REGISTERED',
    /register it/,
  ],
  ['one of another CA of the same name', () => otherCa('t1'), 'UNKNOWN_ISSUER', /CN=Test CA/],
  [
    'an INACTIVE one',
    async () => registered(await deviceCertificate('t1'), 'INACTIVE'),
    'INACTIVE',
    /set it ACTIVE/,
  ],
  [
    'a REVOKED one',
    async () => revoked(await deviceCertificate('t1')),
    'REVOKED',
    /make a new one/,
  ],
  [
    'one that is PENDING_ACTIVATION',
    async () => registered(await deviceCertificate('t1'), 'PENDING_ACTIVATION'),
    'PENDING_ACTIVATION',
    /set ACTIVE first/,
  ],
];

describe.each(REFUSED)('a device with %s', (_, make, reason, told) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is cut off over MQTT with %s and told nothing, while the operator is',
    async (maxVersion) => {
      const seen = await attempt(await make(), { maxVersion });
      expect(seen).toMatch(/^(closed|error ECONNRESET)$/);
      expect(world.log).toMatchObject([{ reason, message: expect.stringMatching(told) }]);
      expect(world.events).toMatchObject([{ type: 'certificate-refusal', reason }]);
      expect(world.gateway.counters()).toMatchObject({ refused: { [reason]: 1 }, open: 0 });
    },
  );

  it('gets 401 over HTTPS', async () => {
    const { certificatePem, privateKeyPem } = await make();
    const status = await new Promise((resolve, reject) => {
      const sending = request(
        {
          host: '127.0.0.1',
          port: world.ports.httpsPort,
          servername: 'localhost',
          ca: world.ca.certificatePem,
          cert: certificatePem,
          key: privateKeyPem,
          method: 'POST',
          path: '/topics/room%2F1',
          agent: false,
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      sending.on('error', reject);
      sending.end('x');
    });
    expect(status).toBe(401);
    expect(world.log).toMatchObject([{ reason, protocol: 'https' }]);
  });
});

describe('the handshake', () => {
  const TLS_1_1 = {
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  } as const;

  it('with TLS 1.1 fails', async () => {
    const seen = await attempt(await world.device('t1'), TLS_1_1);
    expect(seen).toMatch(/^error ERR_SSL/);
    await until('the operator is told', () => world.log.length > 0);
    expect(world.log).toMatchObject([
      { reason: 'TLS_VERSION', message: expect.stringMatching(/neither TLS 1.2 nor 1.3/) },
    ]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s succeeds', async (version) => {
    const device = await world.device('t1');
    const seen = await attempt(device, { minVersion: version, maxVersion: version });
    expect(seen).toBe('answered 20020000');
  });

  it('with plain text instead of TLS is told to the operator', async () => {
    const { connect: plain } = await import('node:net');
    const socket = plain(world.ports.mqttPort, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await until('the operator is told', () => world.log.length > 0);
    expect(world.log).toMatchObject([{ reason: 'NOT_TLS' }]);
  });

  it('records the server name the client asked for, for policies to use', async () => {
    const device = await world.device('t1');
    const Statement = (Condition: object) => ({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'iot:*', Resource: '*', Condition },
    });
    world.registry.setPolicy(Statement({ StringEquals: { 'iot:DomainName': 'localhost' } }));
    expect(await attempt(device)).toBe('answered 20020000');
    expect(await attempt(device, { servername: '' })).toBe('answered 20020005');
  });

  it('is needed anew after a session, so a revoked device cannot resume one', async () => {
    const device = await world.device('t1');
    const session = await new Promise<Buffer | undefined>((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: world.ports.mqttPort,
        servername: 'localhost',
        ca: world.ca.certificatePem,
        cert: device.certificatePem,
        key: device.privateKeyPem,
      });
      socket.on('session', resolve);
      socket.on('error', () => resolve(undefined));
      setTimeout(() => {
        resolve(undefined);
        socket.destroy();
      }, 300);
    });
    world.registry.setStatus(device.certificatePem, 'REVOKED');
    const seen = await attempt({}, session === undefined ? {} : { session });
    expect(seen).toMatch(/^(closed|error ECONNRESET)$/);
  });
});

describe('a device whose certificate is revoked while it is connected', () => {
  it('is cut off at once, by default', async () => {
    const device = await world.device('t1');
    const client = await connected(await world.client('t1', { protocolVersion: 5 }));
    let reasonCode: number | undefined;
    client.on('disconnect', (packet) => {
      reasonCode = packet.reasonCode;
    });
    world.registry.setStatus(device.certificatePem, 'REVOKED');
    await until('it is cut off', () => !client.connected, 1000);
    expect(reasonCode).toBe(0x87);
    await until('the event is there', () =>
      world.lifecycle().some(({ disconnectReason }) => disconnectReason === 'FORBIDDEN_ACCESS'),
    );
  });

  it('is cut off after the propagation delay, where there is one', async () => {
    await world.close();
    world = await openWorld({ propagationDelayMs: 150 });
    const device = await world.device('t1');
    const client = await connected(await world.client('t1'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    world.registry.setStatus(device.certificatePem, 'INACTIVE');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.connected).toBe(true);
    await until('it is cut off', () => !client.connected, 1000);
  });
});
