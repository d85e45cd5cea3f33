import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../../local/core/log.ts';
import { createLorawanDevice } from '../../../local/fleet/lorawan-device.ts';
import { createNetworkServer } from '../../../local/runtime/lorawan/network-server.ts';
import { createLorawanStore } from '../../../local/runtime/lorawan/store.ts';
import type { UplinkEvent } from '../../../local/runtime/lorawan/uplink-event.ts';
import { createUdpServer } from '../../../local/servers/lorawan-udp.ts';
import { systemTimer } from '../../../local/stores/timer.ts';

const EUI = '00000000000000a1';
const IDENTITY = {
  devEui: '70b3d57ed0000001',
  joinEui: '70b3d57ed0000000',
  appKey: '2b7e151628aed2a6abf7158809cf4f3c',
};

interface Txpk {
  readonly tmst: number;
  readonly freq: number;
  readonly datr: string;
  readonly data: string;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A network behind a UDP socket, and the socket of a gateway. */
async function udpWorld() {
  const log: LogEntry[] = [];
  const uplinks: UplinkEvent[] = [];
  const store = createLorawanStore();
  store.putGateway({ id: 'gateway-1', eui: EUI, region: 'EU868', createdAtMs: 0 });
  store.putDevice({
    id: 'device-1',
    devEui: IDENTITY.devEui,
    destinationName: 'radio',
    activation: { kind: 'otaa', joinEui: IDENTITY.joinEui, appKey: IDENTITY.appKey },
    createdAtMs: 0,
    usedDevNonces: [],
    joinNonce: 0,
    queue: [],
  });
  const network = createNetworkServer({
    store,
    publishUplink: async (_destination, event) => void uplinks.push(event),
    publishEvent: async () => undefined,
    extrasOf: () => ({ gateways: true, battery: false, margin: false }),
    now: Date.now,
    timer: systemTimer,
    random: Math.random,
    uuid: () => 'id',
    log: (entry) => log.push(entry),
    windowMs: 20,
  });
  const options = { store, network, now: Date.now, timer: systemTimer };
  const server = createUdpServer({ ...options, log: (entry) => log.push(entry) });
  const port = await server.listen(0, '127.0.0.1');
  const socket = createSocket('udp4');
  closing.push(() => socket.close(), network.stop, server.close);
  const inbox: Buffer[] = [];
  socket.on('message', (bytes) => inbox.push(bytes));

  const send = (type: number, json = '', eui = EUI, token = 1): void => {
    const header = Buffer.of(2, 0, token, type);
    socket.send(Buffer.concat([header, Buffer.from(eui, 'hex'), Buffer.from(json)]), port);
  };
  /** The next packet of a type. */
  const next = async (type: number): Promise<Buffer> => {
    for (;;) {
      const at = inbox.findIndex((bytes) => bytes[3] === type);
      if (at >= 0) return inbox.splice(at, 1)[0] ?? Buffer.alloc(0);
      await once(socket, 'message');
    }
  };
  const hear = (phyPayload: Buffer): void =>
    send(
      0,
      JSON.stringify({
        rxpk: [
          {
            tmst: 1000,
            freq: 868.3,
            stat: 1,
            modu: 'LORA',
            datr: 'SF7BW125',
            rssi: -40,
            lsnr: 7,
            data: phyPayload.toString('base64'),
          },
        ],
      }),
    );
  /** What the gateway is told to send, which it acknowledges with the word. */
  const told = async (error = 'NONE'): Promise<Txpk> => {
    const bytes = await next(3);
    send(5, JSON.stringify({ txpk_ack: { error } }), EUI, bytes.readUInt8(2));
    return JSON.parse(bytes.subarray(4).toString()).txpk;
  };
  return { log, uplinks, store, network, send, next, hear, told };
}

const frameOf = ({ data }: Txpk): Buffer => Buffer.from(data, 'base64');

describe('a UDP packet forwarder', () => {
  it('brings a device in, its uplinks up and a command down', async () => {
    const world = await udpWorld();
    const device = createLorawanDevice(IDENTITY, () => 1);
    world.send(2);
    expect((await world.next(4)).toString('hex')).toBe('02000104');
    world.hear(device.joinRequest());
    expect((await world.next(1)).toString('hex')).toBe('02000101');
    const accept = await world.told();
    expect(accept).toMatchObject({ tmst: 5_001_000, freq: 868.3, datr: 'SF7BW125' });
    device.acceptJoin(frameOf(accept));
    world.hear(device.uplink(2, Buffer.from('hello'), true));
    const answer = await world.told();
    expect(answer).toMatchObject({ tmst: 1_001_000, freq: 868.3 });
    expect(device.receive(frameOf(answer))).toMatchObject({ ack: true });
    expect(world.uplinks).toMatchObject([{ PayloadData: 'aGVsbG8=' }]);
    expect(world.network.isConnected('gateway-1')).toBe(true);
  });

  it('sends in RX2 what is too late for RX1', async () => {
    const world = await udpWorld();
    const device = createLorawanDevice(IDENTITY, () => 1);
    world.send(2);
    await world.next(4);
    world.hear(device.joinRequest());
    const rx1 = await world.told('TOO_LATE');
    const rx2 = await world.told();
    expect(rx2).toMatchObject({ tmst: rx1.tmst + 1_000_000, freq: 869.525, datr: 'SF12BW125' });
    expect(rx2.data).toBe(rx1.data);
  });

  it('that nobody has registered is not answered, and told of once', async () => {
    const world = await udpWorld();
    world.send(2, '', '00000000000000ff');
    world.send(2, '', '00000000000000ff');
    world.send(2);
    await world.next(4);
    expect(world.log.filter(({ reason }) => reason === 'UNKNOWN_GATEWAY')).toHaveLength(1);
  });

  it('that sends nonsense is told of', async () => {
    const world = await udpWorld();
    world.send(9);
    world.send(0, '{');
    world.send(2);
    await world.next(4);
    expect(world.log.filter(({ reason }) => reason === 'PACKET')).toHaveLength(2);
  });
});
