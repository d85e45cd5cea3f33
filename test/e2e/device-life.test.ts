import { Agent } from 'node:https';
import {
  AttachPolicyCommand,
  CreateKeysAndCertificateCommand,
  IoTClient,
  ListAttachedPoliciesCommand,
  RegisterCACertificateCommand,
} from '@aws-sdk/client-iot';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDeviceLife } from '../../commands/device-life.ts';
import {
  type Credential,
  createAuthority,
  createRequest,
  issueClient,
  parseCertificate,
} from '../../local/pki/index.ts';
import {
  type AccessLaptop,
  bootAccess,
  certificateOf,
  connectMqtts,
  ending,
  post,
} from '../support/access-laptop.ts';

const PROPAGATION_MS = 60_000;
const DAY_MS = 86_400_000;

let laptop: AccessLaptop;
let authority: Credential;
beforeAll(async () => {
  const validity = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + 90 * DAY_MS };
  authority = await createAuthority([['CN', 'Fleet CA']], validity);
  const { certificateId: id } = parseCertificate(authority.certificatePem);
  laptop = await bootAccess({
    propagationDelayMs: PROPAGATION_MS,
    change: ({ Resources }) => {
      const environment = Resources['RegisterLambdaFunction']?.Properties?.['Environment'];
      const { Variables } = environment as { Variables: Record<string, string> };
      Object.assign(Variables, { AUTHORITIES: JSON.stringify([{ id, fleets: ['acme'] }]) });
    },
  });
});
afterAll(() => laptop.close());

const life = () => openDeviceLife({ client: laptop.client, stage: 'dev' });
const forget = (): void => {};

const connect = (thing: string, certificate: Credential) =>
  connectMqtts(laptop, laptop.portOf('x509-mqtt'), thing, certificateOf(certificate));
const lastRefusal = () => laptop.refusals({ limit: 1 })[0];

const statusesOf = async (thing: string): Promise<Record<string, string>> => {
  const found = (await life().list()).find((device) => device.thing === thing);
  return Object.fromEntries(
    (found?.certificates ?? []).map(({ certificateId, status }) => [certificateId, status]),
  );
};

it('a device is added, changes its certificate without a gap, and is revoked', async () => {
  const thing = 'cellar-1';
  const first = await life().add(thing, 'acme', forget);
  const old = await connect(thing, first);

  const next = await life().rotate(thing, forget);
  expect(next.replaces).toEqual([first.certificateId]);
  await old.publishAsync(`dt/acme/${thing}/telemetry`, '{"a": 1}', { qos: 1 });
  await old.endAsync();
  await (await connect(thing, first)).endAsync();
  await laptop.idle();
  expect(await statusesOf(thing)).toEqual({
    [first.certificateId]: 'ACTIVE',
    [next.certificateId]: 'ACTIVE',
  });

  const client = await connect(thing, next);
  await laptop.idle();
  expect(await statusesOf(thing)).toEqual({ [next.certificateId]: 'ACTIVE' });
  await expect(connect(thing, first)).rejects.toThrow();
  expect(lastRefusal()).toMatchObject({ reason: 'INACTIVE', certificateId: first.certificateId });
  expect(client.connected).toBe(true);

  const ended = ending(client);
  expect(await life().revoke(thing)).toEqual({
    certificates: [next.certificateId],
    secrets: [],
    sessionEnded: true,
  });
  await ended;
  await expect(connect(thing, next)).rejects.toThrow();
  expect(lastRefusal()).toMatchObject({
    reason: 'REVOKED',
    certificateId: next.certificateId,
    explanation: expect.stringContaining('REVOKED in the registry'),
  });

  const again = await life().add(thing, undefined, forget);
  expect(again.fleet).toBe('acme');
  await (await connect(thing, again)).endAsync();
});

it('a connection kept open with the old certificate goes on until its end has propagated', async () => {
  const thing = 'cellar-2';
  const first = await life().add(thing, 'acme', forget);
  const next = await life().rotate(thing, forget);
  const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 });
  const publish = (how: object = {}) =>
    post(laptop, laptop.portOf('x509-https'), `dt/acme/${thing}/telemetry`, {
      identity: first,
      ...how,
    });
  expect(await publish({ keepAlive })).toBe(200);
  await (await connect(thing, next)).endAsync();
  await laptop.idle();

  expect(await publish()).toBe(401);
  expect(await publish({ keepAlive })).toBe(200);
  laptop.advance(PROPAGATION_MS);
  expect(await publish({ keepAlive })).toBe(401);
  keepAlive.destroy();
});

describe('a certificate', () => {
  it('carries both policies where domains are pinned, and publishes over HTTPS', async () => {
    const iot = new IoTClient(laptop.client);
    const made = await life().add('cellar-3', 'acme', forget);
    const { policies = [] } = await iot.send(
      new ListAttachedPoliciesCommand({ target: made.certificateArn }),
    );
    iot.destroy();
    expect(policies.map(({ policyName }) => policyName).toSorted()).toEqual([
      'tributary-dev-device',
      'tributary-dev-device-https',
    ]);
    const topic = 'dt/acme/cellar-3/telemetry';
    const identity = made;
    expect(await post(laptop, laptop.portOf('x509-https'), topic, { identity })).toBe(200);
    expect(await post(laptop, laptop.httpsPort, topic, { identity })).toBe(403);
  });

  it('is not added beside one that works, and not rotated where there is none', async () => {
    await expect(life().rotate('cellar-4', forget)).rejects.toThrow('There is no thing cellar-4.');
    await life().add('cellar-4', 'acme', forget);
    await expect(life().add('cellar-4', 'acme', forget)).rejects.toThrow(
      /has an active certificate.*rotate cellar-4/,
    );
    await expect(life().add('cellar-4', 'other', forget)).rejects.toThrow(/belongs to fleet acme/);
    await life().revoke('cellar-4');
    await expect(life().rotate('cellar-4', forget)).rejects.toThrow(/add cellar-4/);
  });
});

describe('a device secret', () => {
  const connectWith = (thing: string, password: string) =>
    connectMqtts(laptop, laptop.portOf('custom-mqtt'), thing, { username: thing, password });

  it('lets its device in, until it is revoked: then its session ends and it is refused', async () => {
    const { id, secret, fleet } = await life().issueSecret('shed-1', 'acme', undefined);
    expect(fleet).toBe('acme');
    const client = await connectWith('shed-1', secret);
    await client.publishAsync('dt/acme/shed-1/telemetry', '{"a": 1}', { qos: 1 });
    await expect(connectWith('shed-2', secret)).rejects.toThrow('Not authorized');

    const ended = ending(client);
    const revoked = await life().revokeSecrets('shed-1', undefined);
    expect(revoked).toEqual({ secrets: [id], sessionEnded: true });
    await ended;
    await expect(connectWith('shed-1', secret)).rejects.toThrow('Not authorized');
    expect(lastRefusal()).toMatchObject({
      reason: 'AUTHORIZER_NOT_AUTHENTICATED',
      clientId: 'shed-1',
    });
    expect(laptop.log.map((entry) => JSON.stringify(entry)).join('\n')).toContain('REVOKED_SECRET');
  });

  it('appears in no log, whatever becomes of it', async () => {
    const { secret } = await life().issueSecret('shed-3', 'acme', undefined);
    await (await connectWith('shed-3', secret)).endAsync();
    await expect(connectWith('shed-4', secret)).rejects.toThrow();
    const log = laptop.log.map((entry) => JSON.stringify(entry)).join('\n');
    expect(log).not.toContain(secret.slice(-20));
    expect(log).not.toContain(Buffer.from(secret).toString('base64').slice(0, 40));
  });

  it('is one of several, of which one is revoked', async () => {
    const [one, other] = [
      await life().issueSecret('shed-5', 'acme', undefined),
      await life().issueSecret('shed-5', undefined, undefined),
    ];
    await life().revokeSecrets('shed-5', one.id);
    await (await connectWith('shed-5', other.secret)).endAsync();
    const statuses = (await life().listSecrets('shed-5')).map(({ id, status }) => [id, status]);
    expect(new Map(statuses.map(([id = '', status]) => [id, status]))).toEqual(
      new Map([
        [one.id, 'revoked'],
        [other.id, 'active'],
      ]),
    );
    await expect(life().revokeSecrets('shed-6', one.id)).rejects.toThrow(/shed-6 has no secret/);
  });

  it('ends with its device', async () => {
    const { id, secret } = await life().issueSecret('shed-7', 'acme', undefined);
    expect(await life().revoke('shed-7')).toMatchObject({ certificates: [], secrets: [id] });
    await expect(connectWith('shed-7', secret)).rejects.toThrow();
  });
});

it('a serial number is expected once it is enrolled', async () => {
  await life().enrol('SN-1', 'cellar-9', 'acme');
  await life().enrol('SN-1', 'cellar-9', 'acme');
});

describe('just-in-time registration', () => {
  const made = (thing: string, fleet: string, signer = authority) => {
    const validity = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + 30 * DAY_MS };
    const subject = [
      ['CN', thing],
      ['O', fleet],
    ] as const;
    return issueClient(signer, subject, validity);
  };

  it('makes a device of whoever shows a certificate of an authority on the list', async () => {
    const iot = new IoTClient(laptop.client);
    const early = await made('line-0', 'acme');
    await expect(connect('line-0', early)).rejects.toThrow();
    expect(lastRefusal()).toMatchObject({ reason: 'UNKNOWN_ISSUER' });

    await iot.send(
      new RegisterCACertificateCommand({
        caCertificate: authority.certificatePem,
        certificateMode: 'SNI_ONLY',
        setAsActive: true,
        allowAutoRegistration: true,
      }),
    );
    iot.destroy();
    for (const thing of ['line-0', 'line-1', 'line-2']) {
      const device = thing === 'line-0' ? early : await made(thing, 'acme');
      await expect(connect(thing, device)).rejects.toThrow();
      expect(lastRefusal()).toMatchObject({ reason: 'PENDING_ACTIVATION' });
      await laptop.idle();
      const client = await connect(thing, device);
      await client.publishAsync(`dt/acme/${thing}/telemetry`, '{"a": 1}', { qos: 1 });
      await client.endAsync();
    }
  });

  it('leaves out who is of another fleet, however often it asks', async () => {
    const foreign = await made('line-3', 'other');
    for (const _ of [1, 2]) {
      await expect(connect('line-3', foreign)).rejects.toThrow();
      await laptop.idle();
    }
    expect(lastRefusal()).toMatchObject({ reason: 'PENDING_ACTIVATION' });
    expect(laptop.log.map(({ message }) => message).join('\n')).toContain('FOREIGN_FLEET');
  });

  it('changes the certificate of a device that shows its next one', async () => {
    const [first, next] = [await made('line-4', 'acme'), await made('line-4', 'acme')];
    for (const certificate of [first, next]) {
      await expect(connect('line-4', certificate)).rejects.toThrow();
      await laptop.idle();
      await (await connect('line-4', certificate)).endAsync();
      await laptop.idle();
    }
    await expect(connect('line-4', first)).rejects.toThrow();
    expect(lastRefusal()).toMatchObject({ reason: 'INACTIVE' });
  });
});

describe('fleet provisioning by claim', () => {
  const CREATE = '$aws/certificates/create-from-csr/json';
  const PROVISION = '$aws/provisioning-templates/tributary-dev-claim/provision/json';

  /** What all devices of a batch are built with. */
  const claimCertificate = async (): Promise<Credential> => {
    const iot = new IoTClient(laptop.client);
    const {
      certificateArn: target = '',
      certificatePem = '',
      keyPair,
    } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    await iot.send(new AttachPolicyCommand({ policyName: 'tributary-dev-claim', target }));
    iot.destroy();
    return { certificatePem, privateKeyPem: keyPair?.PrivateKey ?? '' };
  };

  /** A device with a claim that asks, and hears what it is answered. */
  async function openClaim(serial: string, identity: Credential) {
    const clientId = `claim-${serial}`;
    const client = await connectMqtts(laptop, laptop.mqttPort, clientId, certificateOf(identity));
    const filters = [CREATE, PROVISION].flatMap((topic) => [
      `${topic}/accepted`,
      `${topic}/rejected`,
    ]);
    await client.subscribeAsync(filters, { qos: 1 });
    const ask = async (topic: string, body: object) => {
      const answered = new Promise<{ topic: string; body: Record<string, unknown> }>((resolve) =>
        client.once('message', (on, payload) =>
          resolve({ topic: on, body: JSON.parse(payload.toString()) }),
        ),
      );
      await client.publishAsync(topic, JSON.stringify(body), { qos: 1 });
      return answered;
    };
    return { client, ask };
  }

  async function claim(
    serial: string,
    identity: Credential,
    names = { thing: serial, fleet: 'x' },
  ) {
    const { client, ask } = await openClaim(serial, identity);
    const { requestPem, privateKeyPem } = await createRequest(names);
    const created = await ask(CREATE, { certificateSigningRequest: requestPem });
    const { certificatePem, certificateOwnershipToken } = created.body;
    const parameters = { SerialNumber: serial, ThingName: 'cellar-1', Fleet: 'another' };
    const registered = await ask(PROVISION, { certificateOwnershipToken, parameters });
    const again = await ask(PROVISION, { certificateOwnershipToken, parameters });
    await client.endAsync();
    return {
      registered,
      again,
      identity: { certificatePem: String(certificatePem), privateKeyPem },
    };
  }

  it('makes the thing that was enrolled of a device that is expected, once', async () => {
    const claims = await claimCertificate();
    await life().enrol('SN-7', 'cellar-7', 'acme');
    const names = { thing: 'cellar-7', fleet: 'acme' };
    const { registered, again, identity } = await claim('SN-7', claims, names);
    expect(registered).toEqual({
      topic: `${PROVISION}/accepted`,
      body: { thingName: 'cellar-7', deviceConfiguration: {} },
    });
    expect(again.body).toMatchObject({ errorCode: 'InvalidCertificateOwnershipToken' });
    const client = await connect('cellar-7', identity);
    await client.publishAsync('dt/acme/cellar-7/telemetry', '{"a": 1}', { qos: 1 });
    await client.endAsync();

    const second = await claim('SN-7', claims, names);
    expect(second.registered).toMatchObject({
      topic: `${PROVISION}/rejected`,
      body: { statusCode: 403, errorCode: 'AccessDenied' },
    });
    await expect(connect('cellar-7', second.identity)).rejects.toThrow();
    expect(lastRefusal()).toMatchObject({ reason: 'PENDING_ACTIVATION' });
  });

  it('makes nothing of one that nobody expects, and tells the operator why', async () => {
    const { registered } = await claim('SN-8', await claimCertificate());
    expect(registered.topic).toBe(`${PROVISION}/rejected`);
    const log = laptop.log.map(({ message }) => message).join('\n');
    expect(log).toContain('UNKNOWN_DEVICE');
  });

  it('tells nobody else what a device was given', async () => {
    const claims = await claimCertificate();
    const [one, other] = [await openClaim('SN-A', claims), await openClaim('SN-B', claims)];
    const overheard: string[] = [];
    other.client.on('message', (topic) => overheard.push(topic));
    const { requestPem } = await createRequest({ thing: 'a', fleet: 'acme' });
    const { topic } = await one.ask(CREATE, { certificateSigningRequest: requestPem });
    expect(topic).toBe(`${CREATE}/accepted`);
    expect((await one.ask(CREATE, { certificateSigningRequest: 'none' })).topic).toBe(
      `${CREATE}/rejected`,
    );
    expect(overheard).toEqual([]);
    await one.client.endAsync();
    await other.client.endAsync();
  });
});
