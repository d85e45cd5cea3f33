import type { Log } from '../core/log.ts';
import { createLorawanDevice, type LorawanDevice, type LorawanIdentity } from './lorawan-device.ts';
import { connectStation, type Hearing, type StationIdentity } from './lorawan-station.ts';

export interface LorawanFleetOptions {
  readonly devices: readonly LorawanIdentity[];
  readonly gateway: StationIdentity;
  /** `wss://localhost:8887` */
  readonly url: string;
  readonly intervalMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

const FPORT = 2;
const CHANNELS_HZ = [868_100_000, 868_300_000, 868_500_000];

/** Switches LoRaWAN devices on behind one gateway: each joins, and then sends every `intervalMs`. */
export async function startLorawanFleet(
  options: LorawanFleetOptions,
): Promise<{ stop: () => Promise<void> }> {
  const { now, random, log, intervalMs } = options;
  const devices = options.devices.map((identity) =>
    createLorawanDevice(identity, nonceCounter(now())),
  );
  const station = await connectStation(options.gateway, options.url, (phyPayload) => {
    for (const device of devices) takeDownlink(device, phyPayload);
  });
  log({ level: 'info', source: 'fleet', message: `${devices.length} LoRaWAN devices are on` });
  const tick = (): void => {
    for (const device of devices) {
      const frame = device.isJoined()
        ? device.uplink(FPORT, climateLpp(random))
        : device.joinRequest();
      station.hear(frame, hearing(random));
    }
  };
  tick();
  const timer = setInterval(tick, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await station.stop();
    },
  };
}

/** DevNonces that go on where an earlier run, some seconds ago at least, has ended. */
export function nonceCounter(nowMs: number): () => number {
  let last = Math.floor(nowMs / 1000);
  return () => {
    last += 1;
    return last % 0x1_0000;
  };
}

/** A device that waits for its join-accept takes only that. */
function takeDownlink(device: LorawanDevice, phyPayload: Buffer): void {
  if (device.isJoined()) {
    device.receive(phyPayload);
    return;
  }
  try {
    device.acceptJoin(phyPayload);
  } catch {
    // another device's: with one gateway all hear all
  }
}

const hearing = (random: () => number): Hearing => ({
  dataRate: 5,
  frequencyHz: CHANNELS_HZ[Math.floor(random() * CHANNELS_HZ.length)] ?? 868_100_000,
  rssi: -60 - Math.floor(random() * 50),
  snr: Math.round((9 - random() * 12) * 4) / 4,
});

/** Temperature on channel 1 and humidity on channel 2. @see Cayenne Low Power Payload 2.0 */
function climateLpp(random: () => number): Buffer {
  const payload = Buffer.of(1, 0x67, 0, 0, 2, 0x68, Math.round((45 + random() * 4) * 2));
  payload.writeInt16BE(Math.round((21 + random()) * 10), 2);
  return payload;
}
