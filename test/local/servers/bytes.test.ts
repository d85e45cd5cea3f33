import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BYTE_CASES } from './bytes.cases.ts';
import { connected, openWorld, until, type World } from './gateway-world.ts';

const CONNECT = {
  4: '100e 0004 4d515454 04 02 003c 0002 7431',
  5: '100f 0004 4d515454 05 02 003c 00 0002 7431',
};

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const hex = (text: string): string => text.replaceAll(' ', '');

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world.close());

beforeEach(() => {
  world.log.length = 0;
});

/** A TLS connection as t1 that speaks in bytes. */
async function open() {
  const { certificatePem, privateKeyPem } = await world.device('t1');
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port: world.ports.mqttPort,
    ca: world.ca.certificatePem,
    cert: certificatePem,
    key: privateKeyPem,
    servername: 'localhost',
  });
  const state = { received: Buffer.alloc(0), closed: false };
  socket.on('data', (chunk: Buffer) => {
    state.received = Buffer.concat([state.received, chunk]);
  });
  socket.on('error', () => undefined);
  socket.on('end', () => {
    state.closed = true;
  });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return { socket, state };
}

describe('on the wire', () => {
  it.each(BYTE_CASES)('$name', async ({ after, send, expect: expected, closed, told }) => {
    const { socket, state } = await open();
    if (after !== undefined) {
      socket.write(bytes(CONNECT[after]));
      await until('CONNACK is there', () => state.received.length > 0);
      state.received = Buffer.alloc(0);
    }
    socket.write(bytes(send));
    const length = bytes(expected).length;
    await until(
      `${expected} came${closed ? ' and the connection ended' : ''}`,
      () => state.received.length >= length && state.closed === closed,
    );
    // an answer to this shows that nothing else was on its way
    if (!closed) {
      socket.write(bytes('c000'));
      await until('PINGRESP is there', () => state.received.length >= length + 2);
    }
    socket.destroy();
    const answer = state.received.toString('hex');
    expect(answer).toBe(hex(expected) + (closed ? '' : 'd000'));
    const logged = world.log.map(({ message }) => message).join('\n');
    expect(logged).toMatch(told ?? (/refused|filter|topic/.test(logged) ? /./ : /^$/));
  });
});

it('lets nobody else feel any of that', async () => {
  const client = await connected(await world.client('t2'));
  await client.publishAsync('room/1', 'still here', { qos: 1 });
  expect(world.messages().at(-1)).toMatchObject({ clientId: 't2' });
});

it('takes a packet in single bytes', async () => {
  const { socket, state } = await open();
  for (const byte of bytes(CONNECT[4])) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await until('CONNACK is there', () => state.received.length === 4);
  expect(state.received.toString('hex')).toBe('20020000');
  socket.destroy();
});
