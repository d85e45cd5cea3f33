import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreatePolicyVersionCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import { openCodecDesk } from '../../commands/codec-desk.ts';
import { assignDevice } from '../../commands/lorawan-assign.ts';
import type { DeviceIdentity } from '../../local/fleet/device.ts';
import type { Incident } from '../../shared/core/security/incident.ts';
import { connectDevice, publishHttps, storedReadings } from '../support/laptop.ts';
import { bootSecurity, eventually, type SecurityLaptop } from '../support/security-laptop.ts';

const topicOf = (thing: string): string => `dt/acme/${thing}/telemetry`;

/** Resolves when the connection has ended, by whomever. */
const ended = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => {
    if (client.connected) client.once('close', () => resolve());
    else resolve();
  });

/** Twice what is too much within five minutes, as these may end in between. */
async function flood(laptop: SecurityLaptop, device: DeviceIdentity): Promise<void> {
  const client = await connectDevice(laptop, device);
  client.on('error', () => {});
  const over = ended(client);
  for (let at = 0; at < 620 && client.connected; at += 1) {
    const sent = client.publishAsync(topicOf(device.thing), `{"n": ${at}}`, { qos: 1 });
    // the session may be ended before the last is acknowledged
    const settled = sent.catch(() => {});
    if (at % 50 === 49) await Promise.race([settled, over]);
  }
  await over;
}

describe('the closed loop', () => {
  let laptop: SecurityLaptop;
  const devices = new Map<string, DeviceIdentity>();
  const steady: MqttClient[] = [];
  let rounds = 0;

  const device = (thing: string): DeviceIdentity => {
    const found = devices.get(thing);
    if (found === undefined) throw new Error(`there is no ${thing}`);
    return found;
  };

  /** What the others go on doing while one misbehaves. */
  async function othersPublish(): Promise<void> {
    rounds += 1;
    await Promise.all(
      steady.map((client) =>
        client.publishAsync(topicOf(client.options.clientId ?? ''), `{"round": ${rounds}}`, {
          qos: 1,
        }),
      ),
    );
    await publishHttps(
      laptop,
      device('steady-https'),
      topicOf('steady-https'),
      `{"round": ${rounds}}`,
    );
  }

  const incidentOf = (thing: string, state: Incident['state']): Promise<Incident> =>
    eventually(
      async () => (await laptop.incidents()).find(({ subject }) => subject.name === thing),
      (found) => found?.state === state,
    ).then((found) => {
      if (found === undefined) throw new Error('there is no incident');
      return found;
    });

  beforeAll(async () => {
    laptop = await bootSecurity();
    const names = ['flooder', 'bulky', 'trespasser', 'twin', 'misfit', 'steady-1', 'steady-2'];
    for (const name of [...names, 'steady-https'])
      devices.set(name, await laptop.addDevice(name, 'acme'));
    for (const name of ['steady-1', 'steady-2'])
      steady.push(await connectDevice(laptop, device(name)));
  });
  afterAll(async () => {
    for (const client of steady) await client.endAsync(true);
    await laptop.close();
  });

  it('an oversize message: one incident, and a quarantine that the device can read of', async () => {
    await othersPublish();
    const client = await connectDevice(laptop, device('bulky'));
    client.on('error', () => {});
    const over = ended(client);
    const big = `{"a": 1${' '.repeat(40_000)}}`;
    await client.publishAsync(topicOf('bulky'), big, { qos: 1 });
    await over;
    const incident = await incidentOf('bulky', 'contained');
    expect(incident).toMatchObject({
      cause: 'oversize',
      fleet: 'acme',
      episode: 1,
      containment: { rung: 'quarantine', state: 'done' },
    });

    const again = await connectDevice(laptop, device('bulky'));
    again.on('error', () => {});
    const notice = new Promise<string>((resolve) => {
      again.once('message', (_topic, payload) => resolve(payload.toString()));
    });
    await again.subscribeAsync('alert/acme/bulky', { qos: 1 });
    expect(JSON.parse(await notice)).toMatchObject({
      kind: 'containment',
      rung: 'quarantine',
      incident: incident.id,
      cause: 'oversize',
    });
    const refused = again.publishAsync(topicOf('bulky'), '{"a": 2}', { qos: 1 });
    await expect(refused).rejects.toThrow(/Not authorized/i);
    const overHttps = await publishHttps(laptop, device('bulky'), topicOf('bulky'), '{"a": 3}');
    expect(overHttps.status).toBe(403);
    await again.endAsync(true);
    const remarks = () => Promise.resolve(laptop.refusals().map(({ remark = '' }) => remark));
    await eventually(remarks, (all) => all.filter((text) => text.includes(incident.id)).length > 1);
    expect((await storedReadings(laptop, 'bulky')).length).toBe(1);
  });

  it('a release from quarantine, which the device hears of on the connection that it has', async () => {
    const { id } = await incidentOf('bulky', 'contained');
    const client = await connectDevice(laptop, device('bulky'));
    client.on('error', () => {});
    const heard: string[] = [];
    client.on('message', (_topic, payload) => void heard.push(payload.toString()));
    await client.subscribeAsync('alert/acme/bulky', { qos: 1 });
    expect(await laptop.run('incident', 'release', id)).toMatchObject({ code: 0 });
    const all = await eventually(
      () => Promise.resolve(heard),
      ({ length }) => length === 3,
    );
    const rungs = all.map((text) => (text === '' ? 'taken back' : JSON.parse(text).rung));
    expect(rungs).toEqual(['quarantine', 'none', 'taken back']);
    await client.publishAsync(topicOf('bulky'), '{"a": 4}', { qos: 1 });
    await client.endAsync();
  });

  it('a flood: one incident, and the session is over within two seconds of the finding', async () => {
    await othersPublish();
    await flood(laptop, device('flooder'));
    const incident = await incidentOf('flooder', 'contained');
    expect(incident).toMatchObject({
      cause: 'flood',
      episode: 1,
      containment: { rung: 'cut-off', state: 'done' },
    });
    expect(laptop.cutOffAfterMs('flooder')).toBeLessThanOrEqual(2_000);
    await othersPublish();
  });

  it('its reconnect is refused, and the reason names the incident', async () => {
    const incident = await incidentOf('flooder', 'contained');
    await expect(connectDevice(laptop, device('flooder'))).rejects.toThrow();
    const refusal = await eventually(
      async () =>
        laptop
          .refusals()
          .filter(({ type }) => type === 'certificate-refusal')
          .at(-1),
      (found) => found?.remark !== undefined,
    );
    expect(refusal).toMatchObject({
      reason: 'INACTIVE',
      remark: expect.stringContaining(`npm run incident -- release ${incident.id}`),
    });
    const overHttps = await publishHttps(laptop, device('flooder'), topicOf('flooder'), '{}');
    expect(overHttps.status).toBe(401);
    const { out } = await laptop.run('incident', 'why', 'flooder');
    expect(out).toContain(`incident ${incident.id}: flood, cut-off by defend`);
  });

  it('a release restores it, and records who let it go', async () => {
    const { id } = await incidentOf('flooder', 'contained');
    const released = await laptop.run('incident', 'release', id, '--why', 'firmware mended');
    expect(released).toMatchObject({ code: 0, out: expect.stringContaining('closed') });
    const client = await connectDevice(laptop, device('flooder'));
    await client.publishAsync(topicOf('flooder'), '{"back": true}', { qos: 1 });
    await client.endAsync();
    const after = await incidentOf('flooder', 'closed');
    expect(after.actions.at(-1)).toMatchObject({ did: 'closed it', why: 'firmware mended' });
    expect(after.actions.at(-1)?.by).not.toBe('defend');
    expect((await laptop.run('incident', 'why', 'flooder')).code).toBe(1);
  });

  it('a device that goes where it may not: one incident', async () => {
    for (let time = 0; time < 8; time += 1) {
      const client = await connectDevice(laptop, device('trespasser'));
      client.on('error', () => {});
      const over = ended(client);
      client.publish(topicOf('steady-1'), '{"a": 1}', { qos: 0 });
      await over;
    }
    await othersPublish();
    expect(await incidentOf('trespasser', 'contained')).toMatchObject({
      cause: 'forbidden-access',
      episode: 1,
      containment: { rung: 'quarantine' },
    });
  });

  it('connects that are refused again and again: one incident that is told, as anybody can claim a name', async () => {
    for (let time = 0; time < 12; time += 1) {
      // the certificate of one device under the client id of another
      const claimed = connectDevice(laptop, device('steady-1'), { clientId: 'misfit' });
      await expect(claimed).rejects.toThrow();
    }
    await othersPublish();
    const incident = await incidentOf('misfit', 'open');
    expect(incident).toMatchObject({ cause: 'authorization-failures', severity: 'HIGH' });
    expect(incident.containment).toBeUndefined();
    const client = await connectDevice(laptop, device('misfit'));
    await client.endAsync();
  });

  it('two devices with one certificate: one incident, and the certificate is taken', async () => {
    for (let time = 0; time < 6; time += 1) {
      // the last may come when the certificate is taken already
      const client = await connectDevice(laptop, device('twin')).catch(() => undefined);
      client?.on('error', () => {});
    }
    await othersPublish();
    expect(await incidentOf('twin', 'contained')).toMatchObject({
      cause: 'shared-credential',
      episode: 1,
      containment: { rung: 'cut-off' },
    });
  });

  it('an uplink that is delivered again with its frame counter: one incident', async () => {
    const desk = openCodecDesk(new DynamoDBClient(laptop.client), 'dev', Date.now);
    await assignDevice(desk, 'a81758fffe0346fb', {
      thing: 'radio-1',
      codec: 'cayenne-lpp',
      fleet: 'acme',
    });
    const [{ kinesis }] = JSON.parse(
      readFileSync('events/decode.several-codecs.json', 'utf8'),
    ).Records;
    const { data } = JSON.parse(Buffer.from(kinesis.data, 'base64').toString());
    const uplink = Buffer.from(data, 'base64');
    const iot = new IoTDataPlaneClient(laptop.client);
    const topic = '$aws/rules/tributary_dev_lorawan/uplink';
    for (let time = 0; time < 2; time += 1) {
      await iot.send(new PublishCommand({ topic, payload: uplink, qos: 1 }));
      await laptop.idle();
    }
    await othersPublish();
    const incident = await eventually(
      async () => (await laptop.incidents()).find(({ cause }) => cause === 'frame-replay'),
      (found) => found !== undefined,
    );
    expect(incident).toMatchObject({ subject: { name: 'radio-1' }, state: 'open', episode: 1 });
  });

  it('a call that widens access: one incident, by way of the trail and EventBridge', async () => {
    const policyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
    });
    const policyName = 'tributary-dev-device';
    const iot = new IoTClient(laptop.client);
    await iot.send(new CreatePolicyVersionCommand({ policyName, policyDocument }));
    expect(await incidentOf(policyName, 'open')).toMatchObject({
      cause: 'control-CreatePolicyVersion',
      severity: 'HIGH',
      evidence: [{ says: expect.stringContaining('CreatePolicyVersion by arn:aws:iam::') }],
    });
  });

  it('there is one incident a cause and nothing else, each told to people and to machines', async () => {
    await laptop.idle();
    const incidents = await laptop.incidents();
    expect(incidents.map(({ subject, cause }) => `${subject.name}: ${cause}`).sort()).toEqual([
      'bulky: oversize',
      'flooder: flood',
      'misfit: authorization-failures',
      'radio-1: frame-replay',
      'trespasser: forbidden-access',
      'tributary-dev-device: control-CreatePolicyVersion',
      'twin: shared-credential',
    ]);
    const told = laptop.calls.filter(({ target, input }) => {
      const isPublish = target.startsWith('sns.');
      return isPublish && JSON.stringify(input).includes('-notifications');
    });
    expect(told.length).toBeGreaterThanOrEqual(incidents.length);
    for (const { id } of incidents) {
      const copies = laptop.announced.filter((event) => JSON.stringify(event).includes(id));
      expect(copies).toContainEqual(
        expect.objectContaining({ source: 'tributary', 'detail-type': 'Security incident' }),
      );
    }
  });

  it('the other devices have lost no message', async () => {
    await laptop.idle();
    for (const thing of ['steady-1', 'steady-2', 'steady-https']) {
      const readings = await storedReadings(laptop, thing);
      expect(readings.map(({ metrics }) => metrics['round'])).toEqual(
        Array.from({ length: rounds }, (_, at) => at + 1),
      );
    }
    expect(steady.every(({ connected }) => connected)).toBe(true);
  });
});

it('a flood is cut off as soon where changes of policies and certificates take minutes to be seen', async () => {
  const laptop = await bootSecurity({ propagationDelayMs: 300_000 });
  try {
    // one before it, so that what is measured is not how long this machine takes to load code
    const bulky = await connectDevice(laptop, await laptop.addDevice('bulky', 'acme'));
    bulky.on('error', () => {});
    const over = ended(bulky);
    await bulky.publishAsync(topicOf('bulky'), `{"a": 1${' '.repeat(40_000)}}`, { qos: 1 });
    await over;
    const device = await laptop.addDevice('flooder', 'acme');
    await flood(laptop, device);
    const contained = await eventually(laptop.incidents, (all) =>
      all.some(({ subject, state }) => subject.name === 'flooder' && state === 'contained'),
    );
    const incident = contained.find(({ subject }) => subject.name === 'flooder');
    expect(incident).toMatchObject({ cause: 'flood', containment: { rung: 'cut-off' } });
    expect(laptop.cutOffAfterMs('flooder')).toBeLessThanOrEqual(2_000);
    await expect(connectDevice(laptop, device)).rejects.toThrow();
  } finally {
    await laptop.close();
  }
});
