import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathJoin } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildData } from '../../../../local/core/lorawan/data-frame.ts';
import { createLorawanDevice } from '../../../../local/fleet/lorawan-device.ts';
import { oracle } from '../../core/lorawan/oracle.ts';
import { GATEWAYS, IDENTITY, networkWorld } from './network-world.ts';

const counting = (from = 0) => {
  let last = from;
  return () => ++last;
};

/** A rule that takes so long that the process ends first. */
const never = (): Promise<void> => new Promise(() => undefined);

const text = (what: string): Buffer => Buffer.from(what);

const message = (payload: string, confirmed = false, messageId = payload) => ({
  messageId,
  fPort: 9,
  payload: text(payload).toString('base64'),
  confirmed,
  receivedAtMs: 0,
  sent: 0,
});

describe('joining', () => {
  it('gives a session under which an independent library is understood', async () => {
    const world = networkWorld();
    world.addDevice();
    const appKey = Buffer.from(IDENTITY.appKey, 'hex');
    const request = oracle.fromFields(
      {
        MType: 'Join Request',
        AppEUI: Buffer.from(IDENTITY.joinEui, 'hex'),
        DevEUI: Buffer.from(IDENTITY.devEui, 'hex'),
        DevNonce: Buffer.from('0a0b', 'hex'),
      },
      undefined,
      undefined,
      appKey,
    );
    await world.hear(request.getPHYPayload() ?? Buffer.alloc(0));
    const accept = oracle.fromWire(world.downlinks[0]?.phyPayload ?? Buffer.alloc(0));
    const opened = oracle.fromWire(oracle.decryptJoinAccept(accept, appKey));
    const {
      NetID = Buffer.alloc(0),
      AppNonce = Buffer.alloc(0),
      DevAddr = Buffer.alloc(0),
    } = opened;
    const keys = oracle.generateSessionKeys10(appKey, NetID, AppNonce, Buffer.from('0a0b', 'hex'));
    const frame = oracle.fromFields(
      { MType: 'Unconfirmed Data Up', DevAddr, FCnt: 1, FPort: 3, payload: 'hello' },
      keys.AppSKey,
      keys.NwkSKey,
    );
    await world.hear(frame.getPHYPayload() ?? Buffer.alloc(0));
    expect(world.payloads()).toEqual(['hello']);
    expect(world.downlinks[0]).toMatchObject({
      rxDelaySeconds: 5,
      rx1: { dataRate: 5, frequencyHz: 868_100_000 },
      rx2: { dataRate: 0, frequencyHz: 869_525_000 },
    });
  });

  it('tells of the request and of the acceptance', async () => {
    const world = networkWorld();
    world.addDevice();
    await world.joined();
    const base = '$aws/iotwireless/events/join';
    expect(world.events).toMatchObject([
      { topic: `${base}/join_req_received/lorawan/wireless_devices` },
      {
        topic: `${base}/join_accepted/lorawan/wireless_devices`,
        body: { WirelessDeviceId: 'device-1', LoRaWAN: { DevEui: IDENTITY.devEui } },
      },
    ]);
  });

  it('is refused with a DevNonce that was used before, also after a restart', async () => {
    const directory = mkdtempSync(pathJoin(tmpdir(), 'lorawan-'));
    try {
      const before = networkWorld(directory);
      before.addDevice();
      const device = createLorawanDevice(IDENTITY, () => 5);
      const request = device.joinRequest();
      await before.hear(request);
      before.store.close();
      const after = networkWorld(directory);
      await after.hear(request);
      expect(after.reasons()).toEqual(['DEV_NONCE']);
      expect(after.downlinks).toEqual([]);
      after.store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    ['UNKNOWN_DEV_EUI', { devEui: '70b3d57ed0000009' }],
    ['MIC', { appKey: '00000000000000000000000000000000' }],
    ['JOIN_EUI', { joinEui: '70b3d57ed0000009' }],
  ])('is refused for %s', async (reason, other) => {
    const world = networkWorld();
    world.addDevice();
    const stranger = createLorawanDevice({ ...IDENTITY, ...other }, counting());
    await world.hear(stranger.joinRequest());
    expect(world.reasons()).toEqual([reason]);
    expect(world.downlinks).toEqual([]);
  });

  it('never gives a join nonce or an address twice', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = createLorawanDevice(IDENTITY, counting());
    const addresses = new Set<string | undefined>();
    for (let round = 1; round <= 50; round += 1) {
      await world.join(device);
      addresses.add(world.store.device('device-1')?.joining?.devAddr);
      expect(world.store.device('device-1')?.joinNonce).toBe(round);
    }
    expect(addresses.size).toBe(50);
  });

  it('again loses nothing: the old session counts until the new one is used', async () => {
    const world = networkWorld();
    world.addDevice();
    const nonce = counting();
    const device = await world.joined(nonce);
    await world.hear(device.uplink(2, text('before')));
    const other = createLorawanDevice(IDENTITY, nonce);
    await world.hear(other.joinRequest());
    // the join-accept was lost: the device still has its old session
    await world.hear(device.uplink(2, text('while')));
    await world.join(device);
    const last = device.uplink(2, text('after'));
    await world.hear(last);
    expect(world.payloads()).toEqual(['before', 'while', 'after']);
    expect(world.uplinks.map(({ WirelessMetadata }) => WirelessMetadata.LoRaWAN.FCnt)).toEqual([
      0, 1, 0,
    ]);
    expect(world.reasons()).toEqual([]);
  });

  it('again ends the old session once the new one is used', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = await world.joined(counting());
    const old = device.uplink(2, text('held back'));
    await world.join(device);
    await world.hear(device.uplink(2, text('new')));
    await world.hear(old);
    expect(world.payloads()).toEqual(['new']);
    expect(world.reasons()).toEqual(['UNKNOWN_DEV_ADDR']);
  });
});

describe('an uplink', () => {
  it('that several gateways heard comes once, with all receptions, the best first', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = await world.joined();
    await world.hear(
      device.uplink(2, text('one')),
      { gatewayEui: GATEWAYS[0], snr: -4, rssi: -118 },
      { gatewayEui: GATEWAYS[1], snr: 7.5, rssi: -60 },
      { gatewayEui: GATEWAYS[1], snr: 7.5, rssi: -60 },
      { gatewayEui: GATEWAYS[2], snr: 1, rssi: -90 },
    );
    expect(world.uplinks.map(({ WirelessMetadata }) => WirelessMetadata.LoRaWAN.Gateways)).toEqual([
      [
        { GatewayEui: GATEWAYS[1], Rssi: -60, Snr: 7.5 },
        { GatewayEui: GATEWAYS[2], Rssi: -90, Snr: 1 },
        { GatewayEui: GATEWAYS[0], Rssi: -118, Snr: -4 },
      ],
    ]);
  });

  it('has the shape that AWS gives it', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = await world.joined();
    await world.hear(device.uplink(2, text('one')));
    const { DevAddr, MIC, ...radio } = world.uplinks[0]?.WirelessMetadata.LoRaWAN ?? {};
    expect(DevAddr).toMatch(/^0[01][0-9a-f]{6}$/);
    expect(MIC).toMatch(/^[0-9a-f]{8}$/);
    expect(world.uplinks[0]).toMatchObject({
      WirelessDeviceId: 'device-1',
      PayloadData: 'b25l',
    });
    expect(radio).toEqual({
      ADR: false,
      Bandwidth: 125,
      ClassB: false,
      CodeRate: '4/5',
      DataRate: '5',
      DevEui: IDENTITY.devEui,
      FCnt: 0,
      FOptLen: 0,
      FPort: 2,
      Frequency: '868100000',
      Gateways: [{ GatewayEui: GATEWAYS[0], Rssi: -70, Snr: 8 }],
      MType: 'UnconfirmedDataUp',
      Major: 'LoRaWANR1',
      Modulation: 'LORA',
      PolarizationInversion: false,
      SpreadingFactor: 7,
      Timestamp: '2026-01-01T00:00:00Z',
    });
  });

  it('that is replayed makes nothing new, 10,000 times', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = await world.joined();
    const frames = Array.from({ length: 100 }, (_, at) => device.uplink(2, text(`frame ${at}`)));
    for (const frame of frames) await world.hear(frame);
    expect(world.uplinks).toHaveLength(100);
    for (let round = 0; round < 100; round += 1)
      for (const frame of frames) await world.hear(frame);
    expect(world.uplinks).toHaveLength(100);
    expect(world.network.counters()).toMatchObject({ REPLAY: 9900, REPEATED: 100 });
  });

  it('is handed on at least once, whenever the process ends between counter and rule', async () => {
    const directory = mkdtempSync(pathJoin(tmpdir(), 'lorawan-'));
    try {
      const before = networkWorld(directory, never);
      before.addDevice();
      const device = await before.joined();
      const frame = device.uplink(2, text('under way'));
      before.network.receive(before.receptionOf(frame));
      await before.clock.pass(250);
      before.store.close();

      const after = networkWorld(directory);
      after.network.resume();
      await after.network.idle();
      await after.hear(frame);
      expect(after.payloads()).toEqual(['under way']);
      expect(after.network.counters()).toMatchObject({ REPEATED: 1 });
      await after.hear(device.uplink(2, text('next')));
      after.store.close();

      const later = networkWorld(directory);
      later.network.resume();
      await later.network.idle();
      expect(later.uplinks).toEqual([]);
      later.store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('goes on over the end of 16 bits', async () => {
    const world = networkWorld();
    const keys = { nwkSKey: '11'.repeat(16), appSKey: '22'.repeat(16) };
    world.addDevice({
      activation: { kind: 'abp' },
      session: { devAddr: '01020304', ...keys, fCntUp: 0xfffe, fCntDown: 0 },
    });
    const bytes = {
      nwkSKey: Buffer.from(keys.nwkSKey, 'hex'),
      appSKey: Buffer.from(keys.appSKey, 'hex'),
    };
    for (const fCnt of [0xffff, 0x1_0000, 0x1_0001]) {
      const type = 'UnconfirmedDataUp';
      const content = { type, devAddr: '01020304', fCnt, fPort: 1, payload: text('x') } as const;
      await world.hear(buildData(content, bytes));
    }
    expect(world.uplinks.map(({ WirelessMetadata }) => WirelessMetadata.LoRaWAN.FCnt)).toEqual([
      0xffff, 0x1_0000, 0x1_0001,
    ]);
  });

  it('without a port arrives under 225, as AWS does it', async () => {
    const world = networkWorld();
    const keys = { nwkSKey: Buffer.alloc(16, 1), appSKey: Buffer.alloc(16, 2) };
    world.addDevice({
      session: {
        devAddr: '01020304',
        nwkSKey: keys.nwkSKey.toString('hex'),
        appSKey: keys.appSKey.toString('hex'),
        fCntDown: 0,
      },
    });
    const type = 'UnconfirmedDataUp';
    const fOpts = Buffer.from('06fe0a', 'hex');
    await world.hear(buildData({ type, devAddr: '01020304', fCnt: 0, fOpts }, keys));
    expect(world.uplinks[0]).toMatchObject({
      PayloadData: '',
      WirelessMetadata: { LoRaWAN: { FPort: 225, FOptLen: 3, Battery: 254, Margin: 10 } },
    });
  });

  it('of nobody here is refused, and garbage too', async () => {
    const world = networkWorld();
    world.addDevice();
    await world.hear(Buffer.from('40f17dbe4900020001954378762b11ff0d', 'hex'));
    await world.hear(Buffer.from('ff', 'hex'));
    expect(world.reasons()).toEqual(['UNKNOWN_DEV_ADDR', 'FRAME']);
  });
});

describe('a downlink', () => {
  it('goes out after the next uplink, in the order of the queue, telling of more', async () => {
    const world = networkWorld();
    world.addDevice({ queue: [message('first'), message('second')] });
    const device = await world.joined();
    const answers: (string | undefined)[] = [];
    for (const uplink of ['a', 'b', 'c']) {
      const before = world.downlinks.length;
      await world.hear(device.uplink(2, text(uplink)));
      const frame = world.downlinks.slice(before)[0];
      answers.push(frame && device.receive(frame.phyPayload)?.payload.toString());
    }
    expect(answers).toEqual(['first', 'second', undefined]);
    expect(world.downlinks.map(({ rxDelaySeconds }) => rxDelaySeconds)).toEqual([5, 1, 1]);
  });

  it('that wants an acknowledgement is sent until it has one, and then told of', async () => {
    const world = networkWorld();
    world.addDevice({ queue: [message('now', true, 'm-1')] });
    const device = await world.joined();
    await world.hear(device.uplink(2, text('a')));
    await world.hear(device.uplink(2, text('b')));
    expect(world.store.device('device-1')?.queue).toHaveLength(1);
    device.receive(world.downlinks.at(-1)?.phyPayload ?? Buffer.alloc(0));
    await world.hear(device.uplink(2, text('c')));
    expect(world.store.device('device-1')?.queue).toEqual([]);
    expect(world.uplinks.map((event) => event.AckedMessageId)).toEqual([
      undefined,
      undefined,
      'm-1',
    ]);
  });

  it('that nobody acknowledges is given up after four times', async () => {
    const world = networkWorld();
    world.addDevice({ queue: [message('now', true)] });
    const device = await world.joined();
    for (let round = 0; round < 6; round += 1) await world.hear(device.uplink(2, text('a')));
    expect(world.downlinks).toHaveLength(1 + 4);
    expect(world.store.device('device-1')?.queue).toEqual([]);
  });

  it('waits while it is too long for the data rate', async () => {
    const world = networkWorld();
    world.addDevice({ queue: [message('x'.repeat(60))] });
    const device = await world.joined();
    await world.hear(device.uplink(2, text('far')), { dataRate: 0 });
    expect(world.downlinks).toHaveLength(1);
    await world.hear(device.uplink(2, text('near')), { dataRate: 5 });
    expect(world.downlinks).toHaveLength(2);
  });

  it('goes through the next gateway where the best one cannot', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = await world.joined();
    world.trouble.set(GATEWAYS[1], 'TOO_LATE');
    await world.hear(
      device.uplink(2, text('a'), true),
      { gatewayEui: GATEWAYS[0], snr: 1 },
      { gatewayEui: GATEWAYS[1], snr: 9 },
    );
    expect(world.downlinks.at(-1)?.gatewayEui).toBe(GATEWAYS[0]);
    expect(world.network.counters()).toMatchObject({ DOWNLINK: 2, DOWNLINK_FAILED: 1 });
  });

  it('that no gateway could send goes out after the next uplink, four times at most', async () => {
    const world = networkWorld();
    world.addDevice();
    const device = await world.joined();
    world.addDevice({
      ...world.store.device('device-1'),
      queue: [message('first'), message('later')],
    });
    world.trouble.set(GATEWAYS[0], 'no airtime');
    await world.hear(device.uplink(2, text('a')));
    expect(world.store.device('device-1')?.queue).toMatchObject([
      { messageId: 'first', sent: 1 },
      { messageId: 'later', sent: 0 },
    ]);
    world.trouble.clear();
    await world.hear(device.uplink(2, text('b')));
    const sent = device.receive(world.downlinks.at(-1)?.phyPayload ?? Buffer.alloc(0));
    expect(sent?.payload).toEqual(text('first'));
    world.trouble.set(GATEWAYS[0], 'no airtime');
    for (const what of ['c', 'd', 'e', 'f']) await world.hear(device.uplink(2, text(what)));
    expect(world.store.device('device-1')?.queue).toEqual([]);
  });

  it('never uses a counter twice, also after a restart', async () => {
    const directory = mkdtempSync(pathJoin(tmpdir(), 'lorawan-'));
    try {
      const before = networkWorld(directory);
      before.addDevice();
      const device = await before.joined();
      await before.hear(device.uplink(2, text('a'), true));
      const first = before.downlinks.at(-1)?.phyPayload;
      before.store.close();
      const after = networkWorld(directory);
      await after.hear(device.uplink(2, text('b'), true));
      const second = after.downlinks.at(-1)?.phyPayload;
      expect([first?.readUInt16LE(6), second?.readUInt16LE(6)]).toEqual([0, 1]);
      after.store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('answers a link check and the question for the time', async () => {
    const world = networkWorld();
    const keys = { nwkSKey: Buffer.alloc(16, 1), appSKey: Buffer.alloc(16, 2) };
    world.addDevice({
      session: {
        devAddr: '01020304',
        nwkSKey: keys.nwkSKey.toString('hex'),
        appSKey: keys.appSKey.toString('hex'),
        fCntDown: 0,
      },
    });
    const fOpts = Buffer.from('020d', 'hex');
    const content = { type: 'UnconfirmedDataUp', devAddr: '01020304', fCnt: 0, fOpts } as const;
    await world.hear(buildData(content, keys));
    const packet = oracle.fromWire(world.downlinks[0]?.phyPayload ?? Buffer.alloc(0));
    expect(packet.FOpts?.toString('hex')).toMatch(/^020f010d/);
    expect(oracle.verifyMIC(packet, keys.nwkSKey)).toBe(true);
  });
});
