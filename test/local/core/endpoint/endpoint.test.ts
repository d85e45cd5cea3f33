import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  agreeOn,
  defaultEndpoint,
  type Endpoint,
  readClientHello,
} from '../../../../local/core/endpoint/index.ts';

/** The first bytes that a real TLS client sends. */
function helloOf(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {
        // nothing is answered
      },
      write(chunk: Buffer, _, done) {
        resolve(chunk);
        done();
      },
    });
    connect({ socket: wire, rejectUnauthorized: false, ...options }).on('error', () => undefined);
  });
}

describe('a ClientHello', () => {
  it('tells server name and protocols', async () => {
    const bytes = await helloOf({
      servername: 'Mqtt.Localhost',
      ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'],
    });
    expect(readClientHello(bytes)).toEqual({
      state: 'read',
      hello: { serverName: 'mqtt.localhost', alpn: ['x-amzn-mqtt-ca', 'mqtt'] },
    });
  });

  it('without either is read as well', async () => {
    expect(readClientHello(await helloOf({}))).toEqual({ state: 'read', hello: { alpn: [] } });
  });

  it('that has come in part is waited for, byte by byte', async () => {
    const bytes = await helloOf({ servername: 'localhost' });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(readClientHello(bytes.subarray(0, length))).toEqual({ state: 'incomplete' });
    }
  });

  it('that was cut into records is put together', async () => {
    const bytes = await helloOf({ servername: 'localhost' });
    const message = bytes.subarray(5);
    const records = [message.subarray(0, 3), message.subarray(3, 50), message.subarray(50)].flatMap(
      (piece) => [Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece],
    );
    expect(readClientHello(Buffer.concat(records))).toMatchObject({
      hello: { serverName: 'localhost' },
    });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['MQTT', Buffer.from('100e00044d5154540402003c00027431', 'hex')],
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ])('is not what %s is', (_, bytes) => {
    expect(readClientHello(bytes)).toEqual({ state: 'not-tls' });
  });

  it('is never tripped over, whatever the bytes', async () => {
    const bytes = await helloOf({ servername: 'localhost', ALPNProtocols: ['mqtt'] });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const mutated = Buffer.from(bytes);
        mutated[at] = value;
        expect(['incomplete', 'not-tls', 'read']).toContain(readClientHello(mutated).state);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

describe('the account’s own endpoint speaks', () => {
  it.each([
    {
      offered: ['x-amzn-mqtt-ca'],
      protocol: 'mqtt',
      credentials: ['x509'],
      wantsCertificate: true,
    },
    { offered: ['mqtt'], protocol: 'mqtt', credentials: ['custom'], wantsCertificate: false },
    {
      offered: ['x-amzn-http-ca'],
      protocol: 'http',
      credentials: ['x509'],
      wantsCertificate: true,
    },
    {
      offered: ['h2', 'http/1.1'],
      protocol: 'http',
      credentials: ['sigv4', 'custom'],
      wantsCertificate: false,
    },
    { offered: [], protocol: 'http', credentials: ['sigv4', 'custom'], wantsCertificate: false },
  ])(
    '$protocol with $credentials where $offered is offered',
    ({ offered, protocol, credentials, wantsCertificate }) => {
      expect(agreeOn(defaultEndpoint(undefined), offered)).toMatchObject({
        service: { protocol, credentials },
        alpn: offered.at(-1),
        wantsCertificate,
      });
    },
  );

  it('nothing where only unknown protocols are offered', () => {
    expect(agreeOn(defaultEndpoint(undefined), ['h2', 'spdy/1'])).toBeUndefined();
  });
});

describe('a domain with a pinned pair', () => {
  const domain = (
    authentication: Endpoint['authentication'],
    application: Endpoint['application'],
  ) => ({
    ...defaultEndpoint(undefined),
    authentication,
    application,
  });

  it.each([
    ['AWS_X509', 'SECURE_MQTT', { protocol: 'mqtt', credentials: ['x509'] }],
    ['CUSTOM_AUTH', 'SECURE_MQTT', { protocol: 'mqtt', credentials: ['custom'] }],
    ['CUSTOM_AUTH', 'MQTT_WSS', { protocol: 'http', uses: ['websocket'], credentials: ['custom'] }],
    [
      'CUSTOM_AUTH_X509',
      'HTTPS',
      { protocol: 'http', uses: ['publish'], credentials: ['custom-x509'] },
    ],
    ['AWS_SIGV4', 'MQTT_WSS', { protocol: 'http', uses: ['websocket'], credentials: ['sigv4'] }],
  ] as const)('%s and %s needs no ALPN', (authentication, application, service) => {
    expect(agreeOn(domain(authentication, application), [])?.service).toMatchObject(service);
  });
});
