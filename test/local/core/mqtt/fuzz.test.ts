import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { brokerWorld, type Device, type Version, type World } from './broker-world.ts';

/** One good packet of each kind a client sends, to be bent. */
const GOOD: readonly Packet[] = [
  {
    cmd: 'connect',
    clientId: 't1',
    protocolVersion: 5,
    clean: false,
    keepalive: 60,
    will: { topic: 'w', payload: Buffer.from('x'), qos: 1, properties: { contentType: 'a' } },
    username: 'u',
    password: Buffer.from('p'),
    properties: { sessionExpiryInterval: 9, userProperties: { a: 'b' } },
  },
  {
    cmd: 'publish',
    topic: 'a/b',
    payload: 'x',
    qos: 1,
    messageId: 1,
    dup: false,
    retain: true,
    properties: { topicAlias: 2, messageExpiryInterval: 4, userProperties: { a: 'b' } },
  },
  { cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 'a/#', qos: 1, nl: true, rh: 1 }] },
  { cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['a/#', 'b'] },
  { cmd: 'puback', messageId: 4, reasonCode: 16, properties: { reasonString: 'no' } },
  { cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 1 } },
  { cmd: 'pingreq' },
];

const versions = fc.constantFrom<Version>(4, 5);

const bent = (version: Version) =>
  fc
    .record({
      packet: fc.constantFrom(...GOOD),
      at: fc.nat(200),
      byte: fc.nat(255),
      cut: fc.nat(10),
    })
    .map(({ packet, at, byte, cut }) => {
      const bytes = Buffer.from(generate(packet, { protocolVersion: version }));
      bytes[at % bytes.length] = byte;
      return bytes.subarray(0, bytes.length - (cut > 8 ? cut - 8 : 0));
    });

/** A bystander's message still arrives, and nothing was a fault of the broker's own. */
function expectUnharmed(world: World, bystander: Device): void {
  bystander.publish('seen', 'x');
  expect(bystander.got().at(-1)).toBe('seen x');
  expect(bystander.state.closed).toBe(false);
  expect(world.log.filter(({ level }) => level === 'error')).toEqual([]);
}

function attack(version: Version, connected: boolean, chunks: readonly Uint8Array[]): void {
  const world = brokerWorld();
  const bystander = world.online('by').subscribe('seen');
  const attacker = connected ? world.online('t1', { version }) : world.device('t1', { version });
  for (const chunk of chunks) attacker.sendBytes(Buffer.from(chunk));
  expectUnharmed(world, bystander);
  world.broker.close();
  expect(world.clock.pending()).toBe(0);
}

it('survives bytes at random, connected or not', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 });
  fc.assert(
    fc.property(versions, fc.boolean(), chunks, (version, connected, sent) =>
      attack(version, connected, sent),
    ),
    { numRuns: 500 },
  );
});

it('survives good packets with a byte changed or their end missing', () => {
  const scenes = versions.chain((version) =>
    fc.record({
      version: fc.constant(version),
      connected: fc.boolean(),
      chunks: fc.array(bent(version), { minLength: 1, maxLength: 4 }),
    }),
  );
  fc.assert(
    fc.property(scenes, ({ version, connected, chunks }) => attack(version, connected, chunks)),
    { numRuns: 1000 },
  );
});
