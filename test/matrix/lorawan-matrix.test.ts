import { expect, it } from '@jest/globals';
import { oracle } from '../local/core/lorawan/oracle.ts';
import { networkWorld } from '../local/runtime/lorawan/network-world.ts';

/**
 * Twenty LoRaWAN devices, each acting as each, by an independent library: joins and frames that name one device and
 * were made with the keys of another. All pairs, as there is neither network nor clock in it.
 */
const SIZE = 20;
const JOIN_EUI = '70b3d57ed0000000';

interface Device {
  readonly id: string;
  readonly devEui: string;
  readonly appKey: Buffer;
}

interface Session {
  readonly devAddr: Buffer;
  readonly appSKey: Buffer;
  readonly nwkSKey: Buffer;
}

const DEVICES: readonly Device[] = Array.from({ length: SIZE }, (_, index) => ({
  id: `meter-${index}`,
  devEui: (0x70b3d57ed0001000n + BigInt(index)).toString(16),
  appKey: Buffer.alloc(16, index + 1),
}));
const PAIRS = DEVICES.flatMap((self) => DEVICES.map((other) => ({ self, other })));

const nothing = Buffer.alloc(0);
const nonceOf = (count: number): Buffer => Buffer.from(count.toString(16).padStart(4, '0'), 'hex');

/** A join-request in the name of `other`, proven with the key of `self`. */
const joinRequest = (self: Device, other: Device, nonce: number): Buffer =>
  oracle
    .fromFields(
      {
        MType: 'Join Request',
        AppEUI: Buffer.from(JOIN_EUI, 'hex'),
        DevEUI: Buffer.from(other.devEui, 'hex'),
        DevNonce: nonceOf(nonce),
      },
      undefined,
      undefined,
      self.appKey,
    )
    .getPHYPayload() ?? nothing;

function sessionOf({ appKey }: Device, accept: Buffer, nonce: number): Session {
  const opened = oracle.fromWire(oracle.decryptJoinAccept(oracle.fromWire(accept), appKey));
  const { NetID = nothing, AppNonce = nothing, DevAddr = nothing } = opened;
  const keys = oracle.generateSessionKeys10(appKey, NetID, AppNonce, nonceOf(nonce));
  return { devAddr: DevAddr, appSKey: keys.AppSKey, nwkSKey: keys.NwkSKey };
}

/** A frame from the address of `other`, encrypted and proven with the keys of `self`. */
const frame = (self: Session, other: Session, fCnt: number): Buffer =>
  oracle
    .fromFields(
      {
        MType: 'Unconfirmed Data Up',
        DevAddr: other.devAddr,
        FCnt: fCnt,
        FPort: 2,
        payload: 'reading',
      },
      self.appSKey,
      self.nwkSKey,
    )
    .getPHYPayload() ?? nothing;

/** A network that knows all devices, and their sessions once they have joined. */
function openNetwork() {
  const world = networkWorld();
  for (const { id, devEui, appKey } of DEVICES) {
    const activation = { kind: 'otaa', joinEui: JOIN_EUI, appKey: appKey.toString('hex') } as const;
    world.addDevice({ id, devEui, activation });
  }
  let nonce = 0;
  /** @returns the join-accept, if the network sends one */
  const join = async (self: Device, other: Device) => {
    nonce += 1;
    const before = world.downlinks.length;
    await world.hear(joinRequest(self, other, nonce));
    return { accept: world.downlinks[before]?.phyPayload, nonce };
  };
  return { ...world, join };
}

it('each device joins and is heard as itself and no other', async () => {
  const network = openNetwork();
  const sessions = new Map<Device, Session>();
  for (const { self, other } of PAIRS) {
    const { accept, nonce } = await network.join(self, other);
    const who = { self: self.id, other: other.id };
    expect({ ...who, joined: accept !== undefined }).toEqual({ ...who, joined: self === other });
    if (accept !== undefined) sessions.set(self, sessionOf(self, Buffer.from(accept), nonce));
  }
  const counters = new Map<Device, number>();
  for (const { self, other } of PAIRS) {
    const [own, claimed] = [sessions.get(self), sessions.get(other)];
    if (own === undefined || claimed === undefined) throw new Error(`${self.id} has not joined`);
    const fCnt = (counters.get(other) ?? 0) + 1;
    const before = network.uplinks.length;
    await network.hear(frame(own, claimed, fCnt));
    const heardAs = network.uplinks.slice(before).map(({ WirelessDeviceId }) => WirelessDeviceId);
    const who = { self: self.id, other: other.id };
    expect({ ...who, heardAs }).toEqual({ ...who, heardAs: self === other ? [self.id] : [] });
    if (self === other) counters.set(other, fCnt);
  }
  expect(network.reasons()).toEqual(Array(2 * SIZE * (SIZE - 1)).fill('MIC'));
});
