import type { Log } from '../core/log.ts';
import type { Sample } from './faults.ts';
import { DRIFT_MS, type FaultRequest, type FleetOptions, planned, tellOfFaults } from './fleet.ts';
import { createLorawanDevice, type LorawanDevice, type LorawanIdentity } from './lorawan-device.ts';
import { connectStation, type Hearing, type StationIdentity } from './lorawan-station.ts';
import { simulateDevice } from './simulated-device.ts';

export interface LorawanFleetOptions extends Pick<FleetOptions, 'onFault'> {
  readonly devices: readonly LorawanIdentity[];
  readonly gateway: StationIdentity;
  /** `wss://localhost:8887` */
  readonly url: string;
  readonly intervalMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** Of the device at a place in the list; a radio has no buffer, so that it sends nothing before. */
  readonly faultsOf?: (device: number) => readonly FaultRequest[];
}

const FPORT = 2;
const CHANNELS_HZ = [868_100_000, 868_300_000, 868_500_000];

/** Switches LoRaWAN devices on behind one gateway: each joins, and then sends every `intervalMs`. */
export async function startLorawanFleet(
  options: LorawanFleetOptions,
): Promise<{ stop: () => Promise<void> }> {
  const { now, random, log, intervalMs } = options;
  const atMs = now();
  const running = options.devices.map((identity, index) => {
    const requests = options.faultsOf?.(index) ?? [];
    return {
      device: createLorawanDevice(identity, nonceCounter(atMs)),
      requests,
      sampleAt: simulateDevice({
        faults: requests.map((request) => planned(request, atMs)),
        random,
        cloneLaterMs: 0,
        driftMs: DRIFT_MS,
      }),
    };
  });
  const station = await connectStation(options.gateway, options.url, (phyPayload) => {
    for (const { device } of running) takeDownlink(device, phyPayload);
  });
  log({ level: 'info', source: 'fleet', message: `${running.length} LoRaWAN devices are on` });
  const tick = (): void => {
    for (const { device, sampleAt } of running) {
      const frames = device.isJoined()
        ? sampleAt(now()).map((sample) => device.uplink(FPORT, climateLpp(sample)))
        : [device.joinRequest()];
      for (const frame of frames) station.hear(frame, hearing(random));
    }
  };
  tick();
  const timer = setInterval(tick, intervalMs);
  const stopTelling = running.map(({ requests }) => tellOfFaults(requests, atMs, options));
  return {
    stop: async () => {
      clearInterval(timer);
      for (const stop of stopTelling) stop();
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

/**
 * Temperature on channel 1 and humidity on channel 2, as far as they go; what is missing is left out.
 * @see Cayenne Low Power Payload 2.0
 */
function climateLpp({ metrics: { temperature, humidity } }: Sample): Buffer {
  const payload: Buffer[] = [];
  if (temperature !== undefined) {
    const field = Buffer.of(1, 0x67, 0, 0);
    field.writeInt16BE(within(Math.round(temperature * 10), -0x8000, 0x7fff), 2);
    payload.push(field);
  }
  if (humidity !== undefined) {
    payload.push(Buffer.of(2, 0x68, within(Math.round(humidity * 2), 0, 0xff)));
  }
  return Buffer.concat(payload);
}

const within = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));
