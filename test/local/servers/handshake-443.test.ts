import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Credential,
  createAuthority,
  issueClient,
  issueServer,
} from '../../../local/pki/index.ts';
import { type AccessWorld, closed, openAccessWorld } from './access-world.ts';
import { connected, deviceCertificate, until } from './gateway-world.ts';

/** Fourteen ways to shake hands, on each port that takes certificates, over MQTT and over HTTPS. */
const DAY_MS = 86_400_000;
const validity = (fromDays: number, toDays: number) => ({
  notBeforeMs: Date.now() + fromDays * DAY_MS,
  notAfterMs: Date.now() + toDays * DAY_MS,
});

let world: AccessWorld;

beforeEach(async () => {
  world = await openAccessWorld();
});
afterEach(() => world.close());

const NAME = [
  ['CN', 't1'],
  ['O', 'f1'],
] as const;

const known = (credential: Credential, status?: 'INACTIVE' | 'PENDING_ACTIVATION'): Credential => {
  world.registry.add('t1', credential.certificatePem, status);
  return credential;
};
const asWas = (status: 'REVOKED') => async () => {
  const credential = known(await deviceCertificate('t1'));
  world.registry.setStatus(credential.certificatePem, status);
  return credential;
};
const ofOtherAuthority = async (name: string): Promise<Credential> =>
  issueClient(await createAuthority([['CN', name]], validity(-1, 1)), NAME, validity(-1, 1));

interface Offer extends Partial<Credential> {
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly minVersion?: 'TLSv1.1';
  readonly ciphers?: string;
  readonly servername?: string;
}

const OLD = {
  minVersion: 'TLSv1.1',
  maxVersion: 'TLSv1.1',
  ciphers: 'DEFAULT@SECLEVEL=0',
} as const;

const HANDSHAKES: readonly (readonly [
  what: string,
  () => Promise<Offer>,
  reason: string | undefined,
])[] = [
  ['a good certificate', () => world.device('t1'), undefined],
  [
    'a good one over TLS 1.2',
    async () => ({ ...(await world.device('t1')), maxVersion: 'TLSv1.2' }),
    undefined,
  ],
  [
    'a good one without a server name',
    async () => ({ ...(await world.device('t1')), servername: '' }),
    undefined,
  ],
  ['none', async () => ({}), 'NO_CERTIFICATE'],
  ['an expired one', async () => known(await deviceCertificate('t1', validity(-9, -1))), 'EXPIRED'],
  [
    'one not yet valid',
    async () => known(await deviceCertificate('t1', validity(1, 9))),
    'NOT_YET_VALID',
  ],
  ['one that nobody registered', () => deviceCertificate('t1'), 'NOT_REGISTERED'],
  ['one of another authority', () => ofOtherAuthority('Other CA'), 'UNKNOWN_ISSUER'],
  [
    'one of another authority of the same name',
    () => ofOtherAuthority('Test CA'),
    'UNKNOWN_ISSUER',
  ],
  [
    'a server certificate',
    async () => issueServer(world.ca, ['t1'], validity(-1, 1)),
    'NOT_REGISTERED',
  ],
  ['an inactive one', async () => known(await deviceCertificate('t1'), 'INACTIVE'), 'INACTIVE'],
  [
    'one pending activation',
    async () => known(await deviceCertificate('t1'), 'PENDING_ACTIVATION'),
    'PENDING_ACTIVATION',
  ],
  ['a revoked one', asWas('REVOKED'), 'REVOKED'],
  ['TLS 1.1', async () => ({ ...(await world.device('t1')), ...OLD }), 'TLS_VERSION'],
];

const PLACES = [
  { place: '8883 and 8443', own: true },
  { place: '443', own: false },
] as const;

describe.each(PLACES)('at $place', ({ own }) => {
  const overMqtt = ({ certificatePem, privateKeyPem, ...more }: Offer) =>
    world.overTls(
      {
        clientId: 't1',
        ...(certificatePem !== undefined && { cert: certificatePem }),
        ...(privateKeyPem !== undefined && { key: privateKeyPem }),
        ...(!own && { ALPNProtocols: ['x-amzn-mqtt-ca'] }),
        ...more,
        host: more.servername === '' ? '127.0.0.1' : 'localhost',
      },
      own ? world.ports.mqttPort : world.port443,
    );
  const overHttps = ({ certificatePem, privateKeyPem, ...more }: Offer) =>
    world.https(
      {
        path: '/topics/room%2F1?qos=1',
        ...(certificatePem !== undefined && { cert: certificatePem }),
        ...(privateKeyPem !== undefined && { key: privateKeyPem }),
        ...(!own && { ALPNProtocols: ['x-amzn-http-ca'] }),
        ...more,
        host: more.servername === '' ? '127.0.0.1' : 'localhost',
      },
      'x',
      own ? world.ports.httpsPort : world.port443,
    );

  it.each(HANDSHAKES)('MQTT with %s', async (_, offer, reason) => {
    const client = overMqtt(await offer());
    if (reason === undefined) {
      await connected(client);
      return;
    }
    await expect(connected(client)).rejects.toThrow();
    await until('the operator is told', () => world.log.length > 0);
    expect(world.log).toMatchObject([{ reason }]);
  });

  it.each(HANDSHAKES)('HTTPS with %s', async (_, offer, reason) => {
    const answer = overHttps(await offer());
    if (reason === undefined) expect(await answer).toMatchObject({ status: 200 });
    else if (reason === 'TLS_VERSION') await expect(answer).rejects.toThrow();
    else expect(await answer).toMatchObject({ status: 401 });
    if (reason === undefined) return;
    await until('the operator is told', () => world.log.length > 0);
    expect(world.log).toMatchObject([{ reason }]);
  });

  it('one revoked while it is connected ends within a second over MQTT', async () => {
    const device = await world.device('t1');
    const client = overMqtt(device);
    await connected(client);
    const ended = closed(client);
    const startedAtMs = Date.now();
    world.registry.setStatus(device.certificatePem, 'REVOKED');
    await ended;
    expect(Date.now() - startedAtMs).toBeLessThan(1000);
    await expect(connected(overMqtt(device))).rejects.toThrow();
  });

  it('one revoked while its HTTPS connection is kept open is refused from then on', async () => {
    const { Agent } = await import('node:https');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const device = await world.device('t1');
    const ask = () =>
      world.https(
        {
          path: '/topics/room%2F1?qos=1',
          agent,
          cert: device.certificatePem,
          key: device.privateKeyPem,
          ...(!own && { ALPNProtocols: ['x-amzn-http-ca'] }),
        },
        'x',
        own ? world.ports.httpsPort : world.port443,
      );
    expect(await ask()).toMatchObject({ status: 200 });
    world.registry.setStatus(device.certificatePem, 'REVOKED');
    expect(await ask()).toMatchObject({ status: 401 });
    agent.destroy();
  });
});
