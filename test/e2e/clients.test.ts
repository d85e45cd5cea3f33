import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import {
  DescribeAuthorizerCommand,
  DescribeDefaultAuthorizerCommand,
  DescribeDomainConfigurationCommand,
  IoTClient,
  ListAuthorizersCommand,
  ListDomainConfigurationsCommand,
  SetDefaultAuthorizerCommand,
  TestInvokeAuthorizerCommand,
  UpdateAuthorizerCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import {
  DeleteConnectionCommand,
  IoTDataPlaneClient,
  PublishCommand,
} from '@aws-sdk/client-iot-data-plane';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { deviceFiles } from '../../local/boot/devices.ts';
import { parseCertificate } from '../../local/pki/index.ts';
import type { Credentials } from '../../local/runtime/lambda-environment.ts';
import { openSdk, type SdkAttempt } from '../support/device-sdk.ts';
import { bootMini, type MiniLaptop, sessionPolicy, signToken } from '../support/mini-service.ts';
import { presign } from '../support/signer.ts';

let laptop: MiniLaptop;
let iot: IoTClient;
let data: IoTDataPlaneClient;

beforeAll(async () => {
  laptop = await bootMini();
  iot = new IoTClient(laptop.client);
  data = new IoTDataPlaneClient(laptop.client);
});
afterAll(async () => {
  iot.destroy();
  data.destroy();
  await laptop.close();
});

const topicOf = (thing: string): string => `dt/mini/${thing}/telemetry`;

/** The newest reason for which somebody was refused. */
const lastRefusal = () => laptop.refusals({ limit: 1 })[0];

const session = (thing: string): Credentials =>
  laptop.addSession({ name: thing, policies: [sessionPolicy(thing)] });

const customHeaders = (token: string, signature = signToken(token)) => ({
  'x-amz-customauthorizer-name': 'signed',
  'x-amz-customauthorizer-signature': signature,
  token,
});

async function mqttRoundTrip(client: MqttClient, thing: string): Promise<string> {
  const received = new Promise<string>((resolve) =>
    client.on('message', (_, payload) => resolve(payload.toString())),
  );
  await client.subscribeAsync(topicOf(thing), { qos: 1 });
  await client.publishAsync(topicOf(thing), 'hello', { qos: 1 });
  const payload = await received;
  await client.endAsync();
  return payload;
}

describe('the mqtt package over WSS', () => {
  const connect = (path: string, more: Partial<IClientOptions>) =>
    connectAsync(
      `wss://localhost:${laptop.port443}/mqtt${path}`,
      { ca: laptop.caPem, reconnectPeriod: 0, ...more },
      false,
    );
  const presigned = async ({ accessKeyId, secretAccessKey, sessionToken }: Credentials) => {
    const headers = { host: `localhost:${laptop.port443}` };
    const signing = { atMs: Date.now(), accessKeyId, secretAccessKey, sessionToken };
    return `?${(await presign({ headers }, signing)).query}`;
  };

  it('connects with a presigned URL, and not with another secret', async () => {
    const keys = session('wss-1');
    const client = await connect(await presigned(keys), { clientId: 'wss-1' });
    expect(await mqttRoundTrip(client, 'wss-1')).toBe('hello');
    const wrong = await presigned({ ...keys, secretAccessKey: 'wrong' });
    await expect(connect(wrong, { clientId: 'wss-1' })).rejects.toThrow();
    expect(lastRefusal()).toMatchObject({ reason: 'SIGV4_SIGNATURE', principal: keys.accessKeyId });
  });

  it.each<[string, (token: string, signature?: string) => [string, Partial<IClientOptions>]]>([
    ['headers', (...token) => ['', { wsOptions: { headers: customHeaders(...token) } }]],
    ['the query string', (...token) => [`?${new URLSearchParams(customHeaders(...token))}`, {}]],
    [
      'the user name',
      (...token) => ['', { username: `u?${new URLSearchParams(customHeaders(...token))}` }],
    ],
  ])('connects with a token in %s, and not with a forged one', async (_, carry) => {
    const [path, options] = carry('good-wss-2');
    const client = await connect(path, { ...options, clientId: 'wss-2' });
    expect(await mqttRoundTrip(client, 'wss-2')).toBe('hello');
    const [forged, forgedOptions] = carry('good-wss-3', signToken('good-wss-2'));
    await expect(connect(forged, { ...forgedOptions, clientId: 'wss-3' })).rejects.toThrow();
    expect(lastRefusal()).toMatchObject({
      reason: 'AUTHORIZER_TOKEN_SIGNATURE',
      principal: 'signed',
    });
  });
});

describe('AWS’s device SDK', () => {
  const sdk = openSdk();
  afterAll(() => sdk.close());

  type Attempt = Omit<SdkAttempt, 'port' | 'caPem' | 'clientId' | 'topic'>;
  const connect = (clientId: string, attempt: Attempt, port = laptop.port443) =>
    sdk.attempt({ port, caPem: laptop.caPem, clientId, topic: topicOf(clientId), ...attempt });
  const WORKS = { connected: true, payload: 'hello' };
  const portOf = (domain: string) => laptop.domains.find(({ name }) => name === domain)?.port;

  it('connects with a certificate on 8883 and by ALPN on 443, and not with one revoked', async () => {
    const { certificatePem, privateKeyPem } = await laptop.addDevice('sdk-1', 'mini');
    const attempt = { way: 'certificate', certificatePem, privateKeyPem } as const;
    expect(await connect('sdk-1', attempt, laptop.mqttPort)).toEqual(WORKS);
    expect(await connect('sdk-1', attempt)).toEqual(WORKS);
    const { certificateId } = parseCertificate(certificatePem);
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
    expect(await connect('sdk-1', attempt)).toMatchObject({ connected: false });
    expect(lastRefusal()).toMatchObject({ reason: 'REVOKED', certificateId });
  });

  it('connects over WSS with SigV4, and not with another secret', async () => {
    const attempt = { way: 'sigv4', region: laptop.region, ...session('sdk-2') } as const;
    expect(await connect('sdk-2', attempt)).toEqual(WORKS);
    const wrong = { ...attempt, secretAccessKey: 'wrong' };
    expect(await connect('sdk-2', wrong)).toMatchObject({ connected: false });
    expect(lastRefusal()).toMatchObject({ reason: 'SIGV4_SIGNATURE' });
  });

  it.each(['customDirect', 'customWebsocket'] as const)(
    'connects with a signed token (%s), and not with a forged one',
    async (way) => {
      const attempt = (tokenValue: string, signature: string) => ({
        way,
        custom: {
          authorizerName: 'signed',
          tokenKeyName: 'token',
          tokenValue,
          // over WebSocket the SDK sends it as it is given, and a bare + would arrive as a blank
          tokenSignature: encodeURIComponent(signature),
          username: 'sdk-3',
        },
      });
      const token = 'good-sdk-3';
      expect(await connect('sdk-3', attempt(token, signToken(token)))).toEqual(WORKS);
      const forged = await connect('sdk-4', attempt('good-sdk-4', signToken(token)));
      expect(forged).toMatchObject({ connected: false, reasonCode: 135 });
      expect(lastRefusal()).toMatchObject({
        reason: 'AUTHORIZER_TOKEN_SIGNATURE',
        clientId: 'sdk-4',
      });
    },
  );

  it('connects with a password at a domain that pins its authorizer, and not with a wrong one', async () => {
    const attempt = { way: 'customDirect', custom: { username: 'sdk-5' } } as const;
    const port = portOf('custom-mqtt');
    expect(await connect('sdk-5', { ...attempt, password: 'good-sdk-5' }, port)).toEqual(WORKS);
    const wrong = await connect('sdk-5', { ...attempt, password: 'bad' }, port);
    expect(wrong).toMatchObject({ connected: false, reasonCode: 135 });
    expect(lastRefusal()).toMatchObject({ reason: 'AUTHORIZER_NOT_AUTHENTICATED' });
  });

  describe('in MQTT 3.1.1', () => {
    const version = 4 as const;

    it('connects with a certificate on 8883 and by ALPN on 443, and not with one that is inactive', async () => {
      const { certificatePem, privateKeyPem } = await laptop.addDevice('sdk-7', 'mini');
      const attempt = { version, way: 'certificate', certificatePem, privateKeyPem } as const;
      expect(await connect('sdk-7', attempt, laptop.mqttPort)).toEqual(WORKS);
      expect(await connect('sdk-7', attempt)).toEqual(WORKS);
      const { certificateId } = parseCertificate(certificatePem);
      await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
      expect(await connect('sdk-7', attempt)).toMatchObject({ connected: false });
      expect(lastRefusal()).toMatchObject({ reason: 'INACTIVE', certificateId });
    });

    it('connects over WSS with SigV4, and not with another secret', async () => {
      const keys = { region: laptop.region, ...session('sdk-8') };
      const attempt = { version, way: 'sigv4', ...keys } as const;
      expect(await connect('sdk-8', attempt)).toEqual(WORKS);
      const wrong = { ...attempt, secretAccessKey: 'wrong' };
      expect(await connect('sdk-8', wrong)).toMatchObject({ connected: false });
      expect(lastRefusal()).toMatchObject({ reason: 'SIGV4_SIGNATURE' });
    });

    it.each(['customDirect', 'customWebsocket'] as const)(
      'connects with a signed token (%s), and not with a forged one',
      async (way) => {
        const attempt = (tokenValue: string, signature: string) => ({
          version,
          way,
          custom: {
            authorizerName: 'signed',
            tokenKeyName: 'token',
            tokenValue,
            tokenSignature: encodeURIComponent(signature),
            username: 'sdk-9',
          },
        });
        const token = 'good-sdk-9';
        expect(await connect('sdk-9', attempt(token, signToken(token)))).toEqual(WORKS);
        const forged = await connect('sdk-9', attempt('good-sdk-9', signToken('good-sdk-1')));
        expect(forged).toMatchObject({ connected: false });
        expect(lastRefusal()).toMatchObject({ reason: 'AUTHORIZER_TOKEN_SIGNATURE' });
      },
    );
  });

  it('connects at a domain that pins SigV4', async () => {
    const attempt = { way: 'sigv4', region: laptop.region, ...session('sdk-6') } as const;
    expect(await connect('sdk-6', attempt, portOf('dashboards'))).toEqual(WORKS);
  });
});

const hasCurl = spawnSync('curl', ['--version']).error === undefined;

(hasCurl ? describe : describe.skip)('curl', () => {
  const publish = async (port: number, thing: string, ...more: string[]) => {
    const url = `https://localhost:${port}/topics/${topicOf(thing)}?qos=1`;
    const options = ['-s', '-w', '%{http_code}', '-o', '/dev/null', '--cacert', laptop.caFile];
    const { stdout } = await promisify(execFile)('curl', [...options, ...more, '-d', '{}', url]);
    return Number(stdout);
  };
  const headers = (all: Record<string, string>): string[] =>
    Object.entries(all).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);

  it('publishes with a certificate, and not with none', async () => {
    const { thing } = await laptop.addDevice('curl-1', 'mini');
    const { certificateFile, keyFile } = deviceFiles(laptop.devicesDirectory, thing);
    const identity = ['--cert', certificateFile, '--key', keyFile];
    expect(await publish(laptop.httpsPort, thing, ...identity)).toBe(200);
    expect(await publish(laptop.httpsPort, thing)).toBe(401);
    expect(lastRefusal()).toMatchObject({ reason: 'NO_CERTIFICATE' });
    expect(await publish(laptop.httpsPort, 'curl-2', ...identity)).toBe(403);
    expect(lastRefusal()).toMatchObject({
      action: 'iot:Publish',
      variables: { 'iot:Certificate.Subject.CommonName': 'curl-1' },
    });
  });

  it('publishes with SigV4, and not with another secret', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = session('curl-3');
    const signed = (secret: string) => [
      ...['--aws-sigv4', `aws:amz:${laptop.region}:iotdevicegateway`],
      ...['--user', `${accessKeyId}:${secret}`],
      ...headers({ 'x-amz-security-token': sessionToken }),
    ];
    expect(await publish(laptop.port443, 'curl-3', ...signed(secretAccessKey))).toBe(200);
    expect(await publish(laptop.port443, 'curl-3', ...signed('wrong'))).toBe(403);
    expect(lastRefusal()).toMatchObject({ reason: 'SIGV4_SIGNATURE' });
  });

  it('publishes with a signed token, and not with a forged one', async () => {
    const token = 'good-curl-4';
    expect(await publish(laptop.port443, 'curl-4', ...headers(customHeaders(token)))).toBe(200);
    const forged = customHeaders('good-curl-5', signToken(token));
    expect(await publish(laptop.port443, 'curl-5', ...headers(forged))).toBe(401);
    expect(lastRefusal()).toMatchObject({ reason: 'AUTHORIZER_TOKEN_SIGNATURE' });
  });

  it('is told that an authorizer without permission or with a failing function lets nobody in', async () => {
    const name = 'x-amz-customauthorizer-name';
    const forgotten = headers({ [name]: 'forgotten', token: 'good-curl-6' });
    expect(await publish(laptop.port443, 'curl-6', ...forgotten)).toBe(401);
    expect(lastRefusal()).toMatchObject({ reason: 'AUTHORIZER_NOT_PERMITTED' });
    const failing = headers({ [name]: 'password', token: 'throws' });
    expect(await publish(laptop.port443, 'curl-6', ...failing)).toBe(401);
    expect(lastRefusal()).toMatchObject({ reason: 'AUTHORIZER_FUNCTION_ERROR' });
  });
});

describe('the control plane', () => {
  it('tests an authorizer', async () => {
    const test = (token: string, tokenSignature = signToken(token)) =>
      iot.send(
        new TestInvokeAuthorizerCommand({ authorizerName: 'signed', token, tokenSignature }),
      );
    const { principalId, policyDocuments = [], isAuthenticated } = await test('good-t1');
    expect({ principalId, isAuthenticated }).toEqual({
      principalId: 'minit1',
      isAuthenticated: true,
    });
    expect(JSON.parse(policyDocuments[0] ?? '')).toMatchObject({ Version: '2012-10-17' });
    expect(await test('bad')).toMatchObject({ isAuthenticated: false });
    await expect(test('good-t1', signToken('x'))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
    await expect(test('throws')).rejects.toMatchObject({ name: 'InvalidResponseException' });
    await expect(
      iot.send(new TestInvokeAuthorizerCommand({ authorizerName: 'nobody', token: 'x' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('tests an authorizer by what MQTT and HTTP carry', async () => {
    const mqttContext = { username: 'u', password: Buffer.from('good-t2'), clientId: 't2' };
    const { principalId } = await iot.send(
      new TestInvokeAuthorizerCommand({ authorizerName: 'password', mqttContext }),
    );
    expect(principalId).toBe('minit2');
    const httpContext = { headers: { token: 'good-t3' } };
    const answer = await iot.send(
      new TestInvokeAuthorizerCommand({ authorizerName: 'password', httpContext }),
    );
    expect(answer.principalId).toBe('minit3');
  });

  it('describes authorizers and domain configurations', async () => {
    const { authorizerDescription } = await iot.send(
      new DescribeAuthorizerCommand({ authorizerName: 'signed' }),
    );
    expect(authorizerDescription).toMatchObject({
      authorizerName: 'signed',
      tokenKeyName: 'token',
      status: 'ACTIVE',
      signingDisabled: false,
    });
    const { authorizers } = await iot.send(new ListAuthorizersCommand({}));
    expect(authorizers).toHaveLength(3);
    const { domainConfigurations = [] } = await iot.send(new ListDomainConfigurationsCommand({}));
    expect(domainConfigurations.map((each) => each.domainConfigurationName)).toEqual([
      'custom-mqtt',
      'dashboards',
    ]);
    expect(
      await iot.send(
        new DescribeDomainConfigurationCommand({ domainConfigurationName: 'custom-mqtt' }),
      ),
    ).toMatchObject({
      domainName: 'custom-mqtt.example.com',
      authenticationType: 'CUSTOM_AUTH',
      applicationProtocol: 'SECURE_MQTT',
      authorizerConfig: { defaultAuthorizerName: 'password', allowAuthorizerOverride: false },
      domainConfigurationStatus: 'ENABLED',
      domainType: 'CUSTOMER_MANAGED',
    });
  });

  it('sets a default authorizer, and switches one off', async () => {
    const ask = (clientId: string) =>
      connectAsync(
        `wss://localhost:${laptop.port443}/mqtt`,
        {
          ca: laptop.caPem,
          reconnectPeriod: 0,
          clientId,
          username: 'u',
          password: `good-${clientId}`,
        },
        false,
      );
    await expect(iot.send(new DescribeDefaultAuthorizerCommand({}))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await iot.send(new SetDefaultAuthorizerCommand({ authorizerName: 'password' }));
    await (await ask('d1')).endAsync();
    await iot.send(new UpdateAuthorizerCommand({ authorizerName: 'password', status: 'INACTIVE' }));
    await expect(ask('d1')).rejects.toThrow();
    expect(lastRefusal()).toMatchObject({ reason: 'AUTHORIZER_AUTHORIZER_INACTIVE' });
    await iot.send(new UpdateAuthorizerCommand({ authorizerName: 'password', status: 'ACTIVE' }));
  });

  it('publishes to devices, and ends their connections', async () => {
    const { certificatePem, privateKeyPem, thing } = await laptop.addDevice('c1', 'mini');
    const client = await connectAsync({
      protocol: 'mqtts',
      host: 'localhost',
      port: laptop.mqttPort,
      clientId: thing,
      cert: certificatePem,
      key: privateKeyPem,
      ca: laptop.caPem,
      reconnectPeriod: 0,
    });
    const received = new Promise<string>((resolve) =>
      client.on('message', (_, payload) => resolve(payload.toString())),
    );
    await client.subscribeAsync(topicOf(thing));
    await data.send(
      new PublishCommand({ topic: topicOf(thing), payload: Buffer.from('ping'), qos: 1 }),
    );
    expect(await received).toBe('ping');
    const ended = new Promise<void>((resolve) => {
      client.once('close', () => resolve());
    });
    await data.send(new DeleteConnectionCommand({ clientId: thing, cleanSession: true }));
    await ended;
    await expect(data.send(new DeleteConnectionCommand({ clientId: thing }))).rejects.toMatchObject(
      {
        name: 'ResourceNotFoundException',
      },
    );
  });

  it('holds a session to its IAM policy, and keeps the refusal for whoever asks', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = session('held');
    const credentials = { accessKeyId, secretAccessKey, sessionToken };
    const held = new IoTDataPlaneClient({ ...laptop.client, credentials });
    await held.send(new PublishCommand({ topic: topicOf('held'), payload: 'x' }));
    await expect(held.send(new PublishCommand({ topic: topicOf('other') }))).rejects.toMatchObject({
      name: 'ForbiddenException',
    });
    held.destroy();
    const action = encodeURIComponent('iot:Publish');
    const answer = await fetch(`${laptop.awsEndpoint}/refusals?limit=1&action=${action}`);
    expect(await answer.json()).toMatchObject({
      refusals: [
        {
          type: 'role-refusal',
          action: 'iot:Publish',
          resource: expect.stringMatching(/topic\/dt\/mini\/other\/telemetry$/),
          explanation: expect.stringContaining('no statement allows it'),
        },
      ],
    });
  });
});
