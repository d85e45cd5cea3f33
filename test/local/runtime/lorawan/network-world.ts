import type { LogEntry } from '../../../../local/core/log.ts';
import {
  createLorawanDevice,
  type LorawanIdentity,
} from '../../../../local/fleet/lorawan-device.ts';
import { seeded } from '../../../../local/fleet/random.ts';
import type {
  Downlink,
  Reception,
  WirelessDevice,
} from '../../../../local/runtime/lorawan/model.ts';
import { createNetworkServer } from '../../../../local/runtime/lorawan/network-server.ts';
import { createLorawanStore } from '../../../../local/runtime/lorawan/store.ts';
import type { UplinkEvent } from '../../../../local/runtime/lorawan/uplink-event.ts';
import { virtualClock } from '../virtual-clock.ts';

export const IDENTITY: LorawanIdentity = {
  devEui: '70b3d57ed0000001',
  joinEui: '70b3d57ed0000000',
  appKey: '2b7e151628aed2a6abf7158809cf4f3c',
};

export const GATEWAYS = ['00000000000000a1', '00000000000000a2', '00000000000000a3'] as const;

/** Longer than the window in which receptions of a frame are gathered. */
const WINDOW_MS = 250;

/** A network with one OTAA device, on a clock that stands still; gateways are an array of what they were told. */
export function networkWorld(directory?: string, publish?: (event: UplinkEvent) => Promise<void>) {
  const clock = virtualClock();
  const log: LogEntry[] = [];
  const uplinks: UplinkEvent[] = [];
  const events: { topic: string; body: object }[] = [];
  const downlinks: (Downlink & { gatewayEui: string })[] = [];
  /** What gateways answer when they are told to send. */
  const trouble = new Map<string, string>();
  let ids = 0;
  const store = createLorawanStore(directory);
  const network = createNetworkServer({
    store,
    publishUplink: async (_destination, event) => {
      await publish?.(event);
      uplinks.push(event);
    },
    publishEvent: async (topic, body) => void events.push({ topic, body }),
    extrasOf: () => ({ gateways: true, battery: true, margin: true }),
    now: clock.now,
    timer: clock.timer,
    random: seeded(7),
    uuid: () => `id-${++ids}`,
    log: (entry) => log.push(entry),
  });

  const addDevice = (more: Partial<WirelessDevice> = {}): void =>
    store.putDevice({
      id: 'device-1',
      devEui: IDENTITY.devEui,
      destinationName: 'radio',
      activation: { kind: 'otaa', joinEui: IDENTITY.joinEui, appKey: IDENTITY.appKey },
      createdAtMs: 0,
      usedDevNonces: [],
      joinNonce: 0,
      queue: [],
      ...more,
    });

  const receptionOf = (phyPayload: Buffer, more: Partial<Reception> = {}): Reception => {
    const gatewayEui = more.gatewayEui ?? GATEWAYS[0];
    return {
      gatewayEui,
      region: 'EU868',
      phyPayload,
      dataRate: 5,
      frequencyHz: 868_100_000,
      rssi: -70,
      snr: 8,
      receivedAtMs: clock.now(),
      transmit: async (downlink) => {
        const problem = trouble.get(gatewayEui);
        if (problem === undefined) downlinks.push({ ...downlink, gatewayEui });
        return problem;
      },
      ...more,
    };
  };

  /** Lets gateways hear a frame, and waits until the network is through with it. */
  const hear = async (phyPayload: Buffer, ...receptions: Partial<Reception>[]): Promise<void> => {
    const all = receptions.length === 0 ? [{}] : receptions;
    for (const reception of all) network.receive(receptionOf(phyPayload, reception));
    await clock.pass(WINDOW_MS);
    await network.idle();
  };

  const payloads = (): string[] =>
    uplinks.map(({ PayloadData }) => Buffer.from(PayloadData, 'base64').toString());

  const reasons = (): unknown[] =>
    log.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));

  /** A device that has joined. */
  const joined = async (nextDevNonce: () => number = () => 1) => {
    const device = createLorawanDevice(IDENTITY, nextDevNonce);
    await join(device);
    return device;
  };
  const join = async (device: ReturnType<typeof createLorawanDevice>): Promise<void> => {
    await hear(device.joinRequest());
    device.acceptJoin(downlinks.at(-1)?.phyPayload ?? Buffer.alloc(0));
  };

  return {
    clock,
    log,
    uplinks,
    events,
    downlinks,
    trouble,
    store,
    network,
    addDevice,
    receptionOf,
    hear,
    payloads,
    reasons,
    joined,
    join,
  };
}
