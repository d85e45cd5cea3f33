import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connected, openWorld, until, type World } from './gateway-world.ts';

let world: World;

beforeEach(async () => {
  world = await openWorld();
});

afterEach(() => world.close());

describe.each([4, 5] as const)('a client of MQTT version %i', (protocolVersion) => {
  it('publishes with QoS 1, and the rules get topic, payload and identity', async () => {
    const client = await connected(await world.client('t1', { protocolVersion }));
    await client.publishAsync('dt/f1/t1/telemetry', '{"a":1}', { qos: 1 });
    expect(world.messages()).toMatchObject([
      {
        topic: 'dt/f1/t1/telemetry',
        payload: Buffer.from('{"a":1}'),
        protocol: 'mqtt',
        clientId: 't1',
        principal: expect.stringMatching(/^[0-9a-f]{64}$/),
        sourceIp: '127.0.0.1',
        traceId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    ]);
  });

  it('gets what another publishes to a filter it subscribed to', async () => {
    const subscriber = await connected(await world.client('t1', { protocolVersion }));
    const publisher = await connected(await world.client('t2', { protocolVersion }));
    const got: [string, string, number][] = [];
    subscriber.on('message', (topic, payload, { qos }) =>
      got.push([topic, payload.toString(), qos]),
    );
    await subscriber.subscribeAsync('room/+/light', { qos: 1 });
    await publisher.publishAsync('room/3/light', 'on', { qos: 1 });
    await publisher.publishAsync('room/4/light', 'off', { qos: 0 });
    await until('both messages are there', () => got.length === 2);
    expect(got).toEqual([
      ['room/3/light', 'on', 1],
      ['room/4/light', 'off', 0],
    ]);
  });
});
