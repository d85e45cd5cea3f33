import { describe, expect, it } from '@jest/globals';
import { brokerWorld, deny, settled } from './broker-world.ts';

const PERSISTENT = { clean: false } as const;

describe('CONNECT', () => {
  it('is answered with what this broker can do, for MQTT 5', () => {
    const world = brokerWorld();
    const [connack] = world.online('t1', { version: 5, keepalive: 5 }).seen;
    expect(connack).toMatchObject({
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent: false,
      properties: {
        sessionExpiryInterval: 0,
        receiveMaximum: 100,
        maximumQoS: 1,
        retainAvailable: true,
        maximumPacketSize: 149_504,
        topicAliasMaximum: 8,
        wildcardSubscriptionAvailable: true,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionAvailable: true,
        serverKeepAlive: 30,
      },
    });
  });

  it('without a client id gets one assigned in MQTT 5 and is refused in 3.1.1', () => {
    const world = brokerWorld();
    const [connack] = world.online('', { version: 5 }).seen;
    expect(connack).toMatchObject({ properties: { assignedClientIdentifier: expect.any(String) } });
    const old = world.online('', { version: 4 });
    expect(old.seen).toMatchObject([{ cmd: 'connack', returnCode: 2 }]);
    expect(old.state.closed).toBe(true);
  });

  it.each([
    ['$t1', /reserved/],
    ['x'.repeat(129), /129 bytes/],
  ])('with the client id %s is refused', (id, problem) => {
    const world = brokerWorld();
    expect(world.online(id, { version: 5 }).seen).toMatchObject([{ reasonCode: 0x85 }]);
    expect(world.log).toMatchObject([{ explanation: expect.stringMatching(problem) }]);
  });

  it.each([
    [4, { returnCode: 5 }],
    [5, { reasonCode: 0x87 }],
  ] as const)('that no policy allows is refused with a reason, in version %i', (version, code) => {
    const world = brokerWorld();
    world.setPolicy(deny('iot:Connect', 'client/t1'));
    const device = world.online('t1', { version });
    expect(device.seen).toMatchObject([{ cmd: 'connack', ...code }]);
    expect(device.state.closed).toBe(true);
    expect(world.lifecycle()).toMatchObject([
      {
        on: 'presence/connect_failed/t1',
        clientId: 't1',
        eventType: 'connect_failed',
        connectFailureReason: 'AUTHORIZATION_FAILED',
        ipAddress: '192.0.2.1',
        principalIdentifier: 'certificate-t1',
      },
    ]);
    expect(world.log).toMatchObject([
      { action: 'iot:Connect', statement: 'no', explanation: expect.stringContaining('client/t1') },
    ]);
  });

  it('ends the older connection of its client id, and only once it is let in itself', () => {
    const world = brokerWorld();
    const older = world.online('t1', { version: 5 });
    world.setPolicy(deny('iot:Connect', 'client/t1'));
    world.online('t1');
    expect(older.state.closed).toBe(false);
    world.setPolicy(deny('iot:Connect', 'client/other'));
    world.online('t1');
    expect(older.of('disconnect')).toMatchObject([{ reasonCode: 0x8e }]);
    expect(older.state.closed).toBe(true);
    expect(world.lifecycle().slice(-2)).toMatchObject([
      { on: 'presence/disconnected/t1', disconnectReason: 'DUPLICATE_CLIENTID', versionNumber: 0 },
      { on: 'presence/connected/t1', versionNumber: 1 },
    ]);
  });

  it('a second time on one connection is the end of it', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 });
    device.connect();
    expect(device.of('disconnect')).toMatchObject([{ reasonCode: 0x82 }]);
    expect(world.lifecycle().at(-1)).toMatchObject({ disconnectReason: 'CLIENT_ERROR' });
  });

  it('has to come whole within 10 s', () => {
    const world = brokerWorld();
    const slow = world.device('t1');
    slow.sendBytes(Buffer.from([0x10]));
    world.clock.advance(9999);
    expect(slow.state.closed).toBe(false);
    world.clock.advance(1);
    expect(slow.state.closed).toBe(true);
    expect(world.broker.state.connections.size).toBe(0);
  });

  it('of one client id more than once a second is refused where rates are on', () => {
    const world = brokerWorld({ limits: { rates: true } });
    world.online('t1');
    world.clock.advance(999);
    expect(world.online('t1', { version: 5 }).seen).toMatchObject([{ reasonCode: 0x97 }]);
    expect(world.online('t1', { version: 4 }).seen).toMatchObject([{ returnCode: 3 }]);
    world.clock.advance(1);
    expect(world.online('t1').seen).toMatchObject([{ returnCode: 0 }]);
  });

  it('keeps what follows it in the same breath out', () => {
    const world = brokerWorld();
    const device = world.device('t1');
    const connect = Buffer.from('100e00044d5154540402003c00027431', 'hex');
    device.sendBytes(Buffer.concat([connect, Buffer.from([0xc0, 0x00])]));
    expect(device.state.closed).toBe(true);
    expect(world.log).toMatchObject([
      { explanation: expect.stringMatching(/waiting for CONNACK/) },
    ]);
  });
});

describe('keep-alive', () => {
  it('runs out after one and a half times, counted from the last packet', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5, keepalive: 40 });
    world.clock.advance(50_000);
    device.send({ cmd: 'pingreq' });
    world.clock.advance(59_999);
    expect(device.state.closed).toBe(false);
    world.clock.advance(1);
    expect(device.of('disconnect')).toMatchObject([{ reasonCode: 0x8d }]);
    expect(world.lifecycle().at(-1)).toMatchObject({ disconnectReason: 'MQTT_KEEP_ALIVE_TIMEOUT' });
  });

  it('of 1 s is 30 s', () => {
    const world = brokerWorld();
    const device = world.online('t1', { keepalive: 1 });
    world.clock.advance(44_999);
    expect(device.state.closed).toBe(false);
    world.clock.advance(1);
    expect(device.state.closed).toBe(true);
  });
});

describe('PUBLISH', () => {
  it('is acknowledged when the rules have it, not before', async () => {
    const gate = Promise.withResolvers<void>();
    const world = brokerWorld({
      publishToRules: ({ topic }) => (topic === 'a' ? gate.promise : Promise.resolve()),
    });
    const device = world.online('t1').publish('a', '1', { qos: 1, messageId: 7 });
    await settled();
    expect(device.of('puback')).toEqual([]);
    gate.resolve();
    await settled();
    expect(device.of('puback')).toMatchObject([{ messageId: 7 }]);
  });

  it.each([4, 5] as const)(
    'is not acknowledged when the rules break, version %i',
    async (version) => {
      const world = brokerWorld({
        publishToRules: ({ topic }) =>
          topic === 'a' ? Promise.reject(new Error('disk full')) : Promise.resolve(),
      });
      const device = world.online('t1', { version }).publish('a', '1', { qos: 1 });
      await settled();
      expect(device.of('puback').map(({ reasonCode }) => reasonCode)).toEqual(
        version === 5 ? [0x80] : [],
      );
      expect(device.state.closed).toBe(version === 4);
    },
  );

  it('that no policy allows: MQTT 5 with QoS 1 is told, else the connection ends', () => {
    const world = brokerWorld();
    world.setPolicy(deny('iot:Publish', 'topic/secret'));
    const told = world.online('t5', { version: 5 }).publish('secret', 'x', { qos: 1 });
    expect(told.of('puback')).toMatchObject([{ reasonCode: 0x87 }]);
    expect(told.state.closed).toBe(false);
    const unasked = world.online('t50', { version: 5 }).publish('secret', 'x');
    expect(unasked.of('disconnect')).toMatchObject([{ reasonCode: 0x87 }]);
    const old = world.online('t4').publish('secret', 'x', { qos: 1 });
    expect(old.state.closed).toBe(true);
    expect(world.lifecycle().at(-1)).toMatchObject({ disconnectReason: 'AUTH_ERROR' });
    expect(world.messages()).toEqual([]);
    expect(world.events.filter(({ type }) => type === 'policy-refusal')).toMatchObject(
      Array(3).fill({
        action: 'iot:Publish',
        resource: 'arn:aws:iot:eu-central-1:000000000000:topic/secret',
        fix: expect.any(String),
      }),
    );
  });

  it('feels a change of policy without connecting again', () => {
    const world = brokerWorld();
    const device = world.online('t1').publish('a', '1');
    world.setPolicy(deny('iot:Publish', 'topic/a'));
    device.publish('a', '2');
    expect(world.messages()).toEqual(['a 1']);
    expect(device.state.closed).toBe(true);
  });

  it('of 128 KB passes and of one byte more ends the connection', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 });
    device.publish('a', 'x'.repeat(131_072));
    expect(world.messages()).toHaveLength(1);
    device.publish('a', 'x'.repeat(131_073));
    expect(world.messages()).toHaveLength(1);
    expect(device.of('disconnect')).toMatchObject([{ reasonCode: 0x97 }]);
    expect(world.lifecycle().at(-1)).toMatchObject({ disconnectReason: 'CLIENT_ERROR' });
  });

  it('by Basic Ingest reaches the rules and no subscriber', () => {
    const world = brokerWorld();
    const device = world.online('t1').subscribe('#').subscribe('$aws/+/telemetry/#');
    device.publish('$aws/rules/telemetry/dt/x', '1');
    expect(world.messages()).toEqual(['$aws/rules/telemetry/dt/x 1']);
    expect(device.got()).toEqual([]);
  });

  it.each([
    '$aws/things/t1/shadow/update',
    '$aws/things/t1/jobs/get',
    '$aws/events/presence/connected/t1',
  ])('to %s is refused, whatever the policy', (topic) => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 }).publish(topic, '{}', { qos: 1 });
    expect(device.of('puback')).toMatchObject([{ reasonCode: 0x90 }]);
    expect(world.messages()).toEqual([]);
    expect(world.log).toMatchObject([
      { reason: 'PUBLISH', explanation: expect.stringContaining(topic) },
    ]);
  });

  it('beyond 100 in flight ends an MQTT 5 connection and pauses one of 3.1.1', async () => {
    const gate = Promise.withResolvers<void>();
    const world = brokerWorld({
      publishToRules: ({ topic }) => (topic === 'a' ? gate.promise : Promise.resolve()),
    });
    const [old, modern] = [world.online('t4'), world.online('t5', { version: 5 })];
    for (let messageId = 1; messageId <= 100; messageId += 1) {
      old.publish('a', '', { qos: 1, messageId });
      modern.publish('a', '', { qos: 1, messageId });
    }
    expect([old.state.paused, modern.state.closed]).toEqual([true, false]);
    modern.publish('a', '', { qos: 1, messageId: 101 });
    expect(modern.of('disconnect')).toMatchObject([{ reasonCode: 0x93 }]);
    gate.resolve();
    await settled();
    expect(old.state.paused).toBe(false);
    expect(old.of('puback')).toHaveLength(100);
  });

  it('of more than 100 a second is discarded where rates are on', async () => {
    const world = brokerWorld({ limits: { rates: true } });
    const device = world.online('t1', { version: 5 });
    for (let messageId = 1; messageId <= 101; messageId += 1) {
      device.publish('a', '', { qos: 1, messageId });
      await settled();
    }
    expect(world.messages()).toHaveLength(100);
    expect(device.of('puback').at(-1)).toMatchObject({ messageId: 101, reasonCode: 0x97 });
    world.clock.advance(1000);
    device.publish('a', '', { qos: 1 });
    expect(world.messages()).toHaveLength(101);
  });
});

describe('a topic alias', () => {
  it('stands for its topic from then on', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 });
    device.publish('a/b', '1', { properties: { topicAlias: 8 } });
    device.publish('', '2', { properties: { topicAlias: 8 } });
    expect(world.messages()).toEqual(['a/b 1', 'a/b 2']);
  });

  it.each([
    [9, 0x94],
    [0, 0x94],
    [3, 0x82],
  ])('of %i that was never set ends the connection with %i', (topicAlias, reasonCode) => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 });
    device.publish('', '2', { properties: { topicAlias } });
    expect(device.of('disconnect')).toMatchObject([{ reasonCode }]);
  });
});

describe('SUBSCRIBE', () => {
  it('decides each filter on its own', () => {
    const world = brokerWorld();
    world.setPolicy(deny('iot:Subscribe', 'topicfilter/secret/*'));
    const subscriptions = ['a/#', 'secret/x', 'a/#/b', '$aws/things/t1/shadow/#'].map((topic) => ({
      topic,
      qos: 1 as const,
    }));
    const modern = world.online('t5', { version: 5 });
    modern.send({ cmd: 'subscribe', messageId: 3, subscriptions });
    expect(modern.of('suback')).toMatchObject([{ messageId: 3, granted: [1, 0x87, 0x8f, 0x8f] }]);
    const old = world.online('t4');
    old.send({ cmd: 'subscribe', messageId: 3, subscriptions });
    expect(old.of('suback')).toMatchObject([{ granted: [1, 0x80, 0x80, 0x80] }]);
    expect(world.lifecycle().at(-1)).toMatchObject({
      on: 'subscriptions/subscribed/t4',
      eventType: 'subscribed',
      topics: ['a/#'],
    });
  });

  it('takes 8 filters at once and 50 altogether', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 });
    const filters = (count: number, from: number) =>
      Array.from({ length: count }, (_, n) => ({ topic: `a/${from + n}`, qos: 0 as const }));
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters(9, 0) });
    expect(device.of('suback').at(-1)).toMatchObject({ granted: Array(9).fill(0x97) });
    for (let at = 0; at < 48; at += 8) {
      device.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters(8, at) });
    }
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters(3, 48) });
    expect(device.of('suback').at(-1)).toMatchObject({ granted: [0, 0, 0x97] });
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters(1, 0) });
    expect(device.of('suback').at(-1)).toMatchObject({ granted: [0] });
  });

  it('of 9 filters ends a 3.1.1 connection', () => {
    const world = brokerWorld();
    const device = world.online('t1');
    const subscriptions = Array.from({ length: 9 }, (_, n) => ({ topic: `${n}`, qos: 0 as const }));
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    expect([device.state.closed, device.of('suback')]).toEqual([true, []]);
  });

  it.each([4, 5] as const)('with QoS 2 is never acknowledged, version %i', (version) => {
    const world = brokerWorld();
    const device = world.online('t1', { version });
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 2 }] });
    expect(device.of('suback')).toEqual([]);
    expect(device.of('disconnect').map(({ reasonCode }) => reasonCode)).toEqual(
      version === 5 ? [0x9b] : [],
    );
    expect(device.state.closed).toBe(true);
  });

  it('with a subscription identifier ends the connection', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 });
    device.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: 'a', qos: 1 }],
      properties: { subscriptionIdentifier: 4 },
    });
    expect(device.of('disconnect')).toMatchObject([{ reasonCode: 0xa1 }]);
  });
});

describe('a delivery', () => {
  it('comes once to a client with overlapping filters, with their highest QoS', async () => {
    const world = brokerWorld();
    const device = world.online('t1').subscribe('a/#', { qos: 0 }).subscribe('a/+', { qos: 1 });
    world.online('t2').publish('a/b', 'x', { qos: 1 });
    expect(device.of('publish')).toMatchObject([{ topic: 'a/b', qos: 1 }]);
  });

  it('is not made to subscribers that may not receive the topic, which is told once', () => {
    const world = brokerWorld();
    world.setPolicy(deny('iot:Receive', 'topic/a/secret'));
    const device = world.online('t1').subscribe('a/#');
    const other = world.online('t2');
    other.publish('a/secret', '1').publish('a/secret', '2').publish('a/open', '3');
    expect(device.got()).toEqual(['a/open 3']);
    expect(world.log).toMatchObject([{ action: 'iot:Receive', clientId: 't1' }]);
  });

  it('carries MQTT 5 properties to MQTT 5 subscribers and to the rules', () => {
    const world = brokerWorld();
    const modern = world.online('t1', { version: 5 }).subscribe('a');
    const old = world.online('t2').subscribe('a');
    const properties = {
      payloadFormatIndicator: true,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: Buffer.from([1, 2]),
      messageExpiryInterval: 60,
      userProperties: { a: ['1', '2'], b: '3' },
    };
    world.online('t3', { version: 5 }).publish('a', 'x', { properties });
    expect(modern.of('publish')).toEqual([expect.objectContaining({ properties })]);
    expect(old.got()).toEqual(['a x']);
    expect(world.inbound.find(({ topic }) => topic === 'a')).toMatchObject({
      mqtt5: {
        formatIndicator: 'UTF8_DATA',
        contentType: 'text/plain',
        responseTopic: 'answers',
        correlationData: Buffer.from([1, 2]),
        userProperties: [
          ['a', '1'],
          ['a', '2'],
          ['b', '3'],
        ],
      },
    });
  });

  it('honours No Local, Retain As Published, and the packet size the client can take', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5, properties: { maximumPacketSize: 512 } });
    device.subscribe('a', { nl: true }).subscribe('b', { rap: true }).subscribe('c');
    device
      .publish('a', 'own')
      .publish('b', 'kept', { retain: true })
      .publish('c', 'kept', { retain: true });
    device.publish('c', 'x'.repeat(600));
    expect(device.of('publish').map(({ topic, retain }) => [topic, retain])).toEqual([
      ['b', true],
      ['c', false],
    ]);
  });

  it('waits for room in flight, and never exceeds what the client takes at once', async () => {
    const world = brokerWorld();
    const device = world
      .online('t1', { version: 5, properties: { receiveMaximum: 2 } })
      .subscribe('a');
    const other = world.online('t2');
    for (const n of [1, 2, 3, 4]) other.publish('a', `${n}`, { qos: 1, messageId: n });
    expect(device.got()).toEqual(['a 1', 'a 2']);
    const [first] = device.of('publish');
    device.send({ cmd: 'puback', messageId: first?.messageId ?? 0, reasonCode: 0 });
    expect(device.got()).toEqual(['a 1', 'a 2', 'a 3']);
  });

  it('of QoS 0 is dropped while a client does not read, and of QoS 1 waits', () => {
    const world = brokerWorld({ limits: { writeBufferBytes: 10 } });
    const device = world.online('t1').subscribe('a');
    const other = world.online('t2');
    device.state.unsent = 11;
    other.publish('a', '0').publish('a', '0').publish('a', '1', { qos: 1 });
    expect(device.got()).toEqual([]);
    device.state.unsent = 0;
    device.drained();
    expect(device.got()).toEqual(['a 1']);
    expect(world.log).toMatchObject([{ reason: 'SLOW_CONSUMER', clientId: 't1' }]);
  });

  it('of the service itself reaches subscribers and rules', async () => {
    const world = brokerWorld();
    const device = world.online('t1').subscribe('cmd/#');
    const payload = Buffer.from('go');
    await world.broker.publish(
      { topic: 'cmd/x', payload, qos: 1, retain: false },
      { topic: 'cmd/x', payload, protocol: 'mqtt', principal: '', sourceIp: '' },
    );
    expect([device.got(), world.messages()]).toEqual([['cmd/x go'], ['cmd/x go']]);
  });
});

describe('a retained message', () => {
  it('goes to later subscriptions of exactly its topic, never to wildcards', () => {
    const world = brokerWorld();
    world.online('t1').publish('a/b', 'kept', { retain: true });
    const device = world.online('t2').subscribe('a/+').subscribe('#').subscribe('$share/g/a/b');
    expect(device.got()).toEqual([]);
    device.subscribe('a/b');
    expect(device.of('publish')).toMatchObject([{ topic: 'a/b', retain: true, qos: 0 }]);
  });

  it('is deleted by an empty one, which is delivered all the same', () => {
    const world = brokerWorld();
    const device = world.online('t1').subscribe('a');
    device.publish('a', 'kept', { retain: true }).publish('a', '', { retain: true });
    expect(device.got()).toEqual(['a kept', 'a ']);
    expect(world.online('t2').subscribe('a').got()).toEqual([]);
  });

  it('needs a right of its own', () => {
    const world = brokerWorld();
    world.setPolicy(deny('iot:RetainPublish', 'topic/a'));
    const device = world.online('t1', { version: 5 }).publish('a', 'x', { retain: true, qos: 1 });
    expect(device.of('puback')).toMatchObject([{ reasonCode: 0x87 }]);
    expect(world.messages()).toEqual([]);
  });

  it.each([
    [0, 2],
    [1, 1],
    [2, 0],
  ])('with Retain Handling %i comes %i times to one who subscribes twice', (rh, times) => {
    const world = brokerWorld();
    world.online('t1').publish('a', 'kept', { retain: true });
    const device = world.online('t2', { version: 5 }).subscribe('a', { rh }).subscribe('a', { rh });
    expect(device.got()).toHaveLength(times);
  });

  it('dies at its expiry', () => {
    const world = brokerWorld();
    const properties = { messageExpiryInterval: 10 };
    world.online('t1', { version: 5 }).publish('a', 'kept', { retain: true, properties });
    world.clock.advance(4000);
    const early = world.online('t2', { version: 5 }).subscribe('a');
    expect(early.of('publish')).toMatchObject([{ properties: { messageExpiryInterval: 6 } }]);
    world.clock.advance(6000);
    expect(world.online('t3').subscribe('a').got()).toEqual([]);
  });
});

describe('a persistent session', () => {
  it('keeps subscriptions and QoS 1 messages until its client is back', () => {
    const world = brokerWorld();
    world.online('t1', PERSISTENT).subscribe('a').lose();
    const other = world.online('t2');
    other.publish('a', 'lost').publish('a', 'kept', { qos: 1 });
    const back = world.online('t1', PERSISTENT);
    expect(back.seen).toMatchObject([
      { cmd: 'connack', sessionPresent: true },
      { cmd: 'publish', payload: Buffer.from('kept'), dup: false },
    ]);
  });

  it('sends again what was never acknowledged, in order and before the rest', () => {
    const world = brokerWorld();
    const first = world.online('t1', PERSISTENT).subscribe('a');
    const other = world.online('t2');
    for (const n of [1, 2]) other.publish('a', `${n}`, { qos: 1 });
    first.lose();
    other.publish('a', '3', { qos: 1 });
    expect(world.online('t1', PERSISTENT).got()).toEqual(['a 1', 'a 2', 'a 3']);
  });

  it('is forgotten an hour after its client left, and at once by a clean start', () => {
    const world = brokerWorld();
    world.online('t1', PERSISTENT).lose();
    world.clock.advance(3_599_999);
    expect(world.broker.state.sessions.size).toBe(1);
    world.clock.advance(1);
    expect(world.broker.state.sessions.size).toBe(0);
    world.online('t1', PERSISTENT).lose();
    expect(world.online('t1').seen).toMatchObject([{ sessionPresent: false }]);
  });

  it('lasts as long as MQTT 5 asks, within the limit, and DISCONNECT may change it', () => {
    const world = brokerWorld();
    const properties = { sessionExpiryInterval: 100_000 };
    const device = world.online('t1', { version: 5, clean: true, properties });
    expect(device.seen).toMatchObject([{ properties: { sessionExpiryInterval: 3600 } }]);
    device.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 5 } });
    world.clock.advance(4999);
    expect(world.broker.state.sessions.size).toBe(1);
    world.clock.advance(1);
    expect(world.broker.state.sessions.size).toBe(0);
  });

  it('holds 2 messages at most where 2 is the limit, and says what it drops', () => {
    const world = brokerWorld({ limits: { queuedMessages: 2 } });
    world.online('t1', PERSISTENT).subscribe('a').lose();
    const other = world.online('t2');
    for (const n of [1, 2, 3]) other.publish('a', `${n}`, { qos: 1 });
    expect(world.online('t1', PERSISTENT).got()).toEqual(['a 1', 'a 2']);
    expect(world.log).toMatchObject([{ message: expect.stringMatching(/queue/), clientId: 't1' }]);
  });

  it('drops what has expired meanwhile', () => {
    const world = brokerWorld();
    world.online('t1', PERSISTENT).subscribe('a').lose();
    const other = world.online('t2', { version: 5 });
    other.publish('a', 'short', { qos: 1, properties: { messageExpiryInterval: 1 } });
    other.publish('a', 'long', { qos: 1, properties: { messageExpiryInterval: 100 } });
    world.clock.advance(2000);
    expect(world.online('t1', PERSISTENT).got()).toEqual(['a long']);
  });

  it('decides Receive when the message goes out, not when it came in', () => {
    const world = brokerWorld();
    world.online('t1', PERSISTENT).subscribe('a').lose();
    world.online('t2').publish('a', 'x', { qos: 1 });
    world.setPolicy(deny('iot:Receive', 'topic/a'));
    expect(world.online('t1', PERSISTENT).got()).toEqual([]);
  });
});

describe('a Last Will', () => {
  const will = { topic: 'gone', payload: Buffer.from('t1'), qos: 1, retain: false } as const;

  it.each([
    ['the network is lost', 'CONNECTION_LOST', true],
    ['another takes its client id', 'DUPLICATE_CLIENTID', true],
    ['its keep-alive runs out', 'MQTT_KEEP_ALIVE_TIMEOUT', true],
    ['it breaks the protocol', 'CLIENT_ERROR', true],
    ['it is ended from the cloud', 'API_INITIATED_DISCONNECT', true],
    ['it disconnects', 'CLIENT_INITIATED_DISCONNECT', false],
  ])('when %s (%s): sent is %s', (_, disconnectReason, sent) => {
    const world = brokerWorld();
    const device = world.online('t1', { will });
    const deeds: Record<string, () => void> = {
      CONNECTION_LOST: () => device.lose(),
      DUPLICATE_CLIENTID: () => void world.online('t1'),
      MQTT_KEEP_ALIVE_TIMEOUT: () => world.clock.advance(90_000),
      CLIENT_ERROR: () => device.sendBytes(Buffer.from([0xf0, 0x00])),
      API_INITIATED_DISCONNECT: () =>
        void world.broker.disconnect('t1', { reason: 'API_INITIATED_DISCONNECT' }),
      CLIENT_INITIATED_DISCONNECT: () => device.send({ cmd: 'disconnect' }),
    };
    deeds[disconnectReason]?.();
    expect(world.messages()).toEqual(sent ? ['gone t1'] : []);
    expect(world.lifecycle().find(({ on }) => on === 'presence/disconnected/t1')).toMatchObject({
      disconnectReason,
      clientInitiatedDisconnect: !sent,
    });
  });

  it('can be asked for with DISCONNECT 4 and prevented from the cloud', () => {
    const world = brokerWorld();
    world.online('t1', { version: 5, will }).send({ cmd: 'disconnect', reasonCode: 4 });
    expect(world.messages()).toEqual(['gone t1']);
    world.online('t1', { version: 5, will });
    world.broker.disconnect('t1', { reason: 'API_INITIATED_DISCONNECT', preventWill: true });
    expect(world.messages()).toHaveLength(1);
  });

  it.each([
    ['iot:Publish', { ...will }],
    ['iot:RetainPublish', { ...will, retain: true }],
  ])('without the right to %s fails the CONNECT', (action, asked) => {
    const world = brokerWorld();
    world.setPolicy(deny(action, 'topic/gone'));
    expect(world.online('t1', { will: asked }).seen).toMatchObject([{ returnCode: 5 }]);
    expect(world.lifecycle()).toMatchObject([{ on: 'presence/connect_failed/t1' }]);
  });

  it('and a persistent session need a policy that speaks of them', () => {
    const world = brokerWorld();
    const Statement = [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }];
    world.setPolicy({ Version: '2012-10-17', Statement });
    expect(world.online('t1').seen).toMatchObject([{ returnCode: 0 }]);
    expect(world.online('t2', { will }).seen).toMatchObject([{ returnCode: 5 }]);
    expect(world.online('t3', PERSISTENT).seen).toMatchObject([{ returnCode: 5 }]);
  });

  it.each([
    [{ ...will, qos: 2 as const }, 0x9b],
    [{ ...will, topic: 'a/#' }, 0x90],
    [{ ...will, topic: '$aws/events/presence/connected/t2' }, 0x90],
  ])('that cannot be fails the CONNECT: %j', (asked, reasonCode) => {
    const world = brokerWorld();
    expect(world.online('t1', { version: 5, will: asked }).seen).toMatchObject([{ reasonCode }]);
  });

  it('waits for its delay, unless its client is back by then or its session ends', () => {
    const world = brokerWorld();
    const properties = { sessionExpiryInterval: 60 };
    const delayed = { ...will, properties: { willDelayInterval: 30 } };
    const connect = { version: 5, clean: false, properties, will: delayed } as const;
    world.online('t1', connect).lose();
    world.clock.advance(29_999);
    expect(world.messages()).toEqual([]);
    world.online('t1', connect).lose();
    world.clock.advance(29_999);
    expect(world.messages()).toEqual([]);
    world.clock.advance(1);
    expect(world.messages()).toEqual(['gone t1']);
    world.online('t1', connect).lose();
    world.online('t1', { ...connect, clean: true });
    expect(world.messages()).toHaveLength(2);
  });
});

describe('a shared subscription', () => {
  it('gives each message to one of its members, in turn', () => {
    const world = brokerWorld();
    const members = ['t1', 't2', 't3'].map((id) => world.online(id).subscribe('$share/g/a/+'));
    const alone = world.online('t4').subscribe('a/+');
    const other = world.online('t5');
    for (let n = 0; n < 6; n += 1) other.publish('a/b', `${n}`);
    expect(members.map((member) => member.got().length)).toEqual([2, 2, 2]);
    expect(alone.got()).toHaveLength(6);
  });

  it('passes over members that are away or may not receive it', () => {
    const world = brokerWorld();
    world.online('t1', PERSISTENT).subscribe('$share/g/a').lose();
    const there = world.online('t2').subscribe('$share/g/a');
    const other = world.online('t3');
    for (const n of [1, 2, 3]) other.publish('a', `${n}`, { qos: 1 });
    expect(there.got()).toHaveLength(3);
  });

  it('ends with UNSUBSCRIBE', () => {
    const world = brokerWorld();
    const device = world.online('t1', { version: 5 }).subscribe('$share/g/a').subscribe('b');
    device.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['$share/g/a', 'never'] });
    world.online('t2').publish('a', '1').publish('b', '2');
    expect(device.of('unsuback')).toMatchObject([{ messageId: 9, granted: [0, 0] }]);
    expect(device.got()).toEqual(['b 2']);
    expect(world.lifecycle().find(({ on }) => on.startsWith('subscriptions/uns'))).toMatchObject({
      eventType: 'unsubscribed',
      topics: ['$share/g/a'],
    });
  });
});

describe('lifecycle events', () => {
  it('reach subscribers that name them, with the documented fields, and not those of #', () => {
    const world = brokerWorld();
    const named = world.online('t1').subscribe('$aws/events/presence/#').subscribe('#');
    const startedAt = world.clock.now();
    world.online('t2').send({ cmd: 'disconnect' });
    const [connected, disconnected] = named.of('publish').map(({ topic, payload }) => ({
      topic,
      body: JSON.parse(payload.toString()),
    }));
    const common = {
      clientId: 't2',
      timestamp: startedAt,
      sessionIdentifier: expect.any(String),
      principalIdentifier: 'certificate-t2',
      versionNumber: 0,
    };
    expect(connected).toEqual({
      topic: '$aws/events/presence/connected/t2',
      body: { ...common, eventType: 'connected', ipAddress: '192.0.2.1' },
    });
    expect(disconnected).toEqual({
      topic: '$aws/events/presence/disconnected/t2',
      body: {
        ...common,
        eventType: 'disconnected',
        clientInitiatedDisconnect: true,
        disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
      },
    });
    expect(named.got()).toHaveLength(2);
  });

  it('count the connections of a client id, anew after an hour away', () => {
    const world = brokerWorld();
    const version = () => world.lifecycle().at(-1);
    world.online('t1').lose();
    world.clock.advance(3_599_999);
    world.online('t1').lose();
    expect(version()).toMatchObject({ versionNumber: 1 });
    world.clock.advance(3_600_000);
    world.online('t1').lose();
    expect(version()).toMatchObject({ versionNumber: 0 });
  });

  it('are not made for client ids with wildcards', () => {
    const world = brokerWorld();
    world.online('t+').lose();
    world.online('#').lose();
    expect(world.lifecycle()).toEqual([]);
  });
});

it('leaves nothing behind when it closes: no connection, no timer, no session', () => {
  const world = brokerWorld();
  world.device('silent');
  const modern = world.online('t1', { version: 5 });
  const will = { topic: 'gone', payload: Buffer.from('x'), properties: { willDelayInterval: 9 } };
  const properties = { sessionExpiryInterval: 60 };
  world.online('t2', { version: 5, clean: false, properties, will });
  world.online('t3', { clean: false }).lose();
  world.broker.close();
  expect(modern.of('disconnect')).toMatchObject([{ reasonCode: 0x8b }]);
  expect(world.broker.state.connections.size).toBe(0);
  expect(world.clock.pending()).toBe(0);
});
