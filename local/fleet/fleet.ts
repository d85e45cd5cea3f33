import type { Log } from '../core/log.ts';
import {
  type DeviceIdentity,
  type GatewayAddress,
  type RunningDevice,
  telemetryTopic,
} from './device.ts';
import type { Fault, Sample } from './faults.ts';
import { startHttpsDevice } from './https-device.ts';
import { startMqttDevice } from './mqtt-device.ts';
import { climateMessage, type PlannedFault, simulateDevice } from './simulated-device.ts';

/** The protocols that the simulated devices take in turn. */
const PROTOCOLS = ['MQTT 5', 'MQTT 3.1.1', 'HTTPS'] as const;
type Protocol = (typeof PROTOCOLS)[number];

/** A fault that a device is asked to have, by the time since it was switched on. */
export interface FaultRequest {
  readonly thing: string;
  readonly fault: Fault;
  readonly metric: string;
  readonly afterMs: number;
  readonly lastsMs: number;
}

export interface FleetOptions {
  readonly devices: readonly DeviceIdentity[];
  readonly gateway: GatewayAddress;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly faults?: readonly FaultRequest[];
  /** So many readings a device that is to have a fault has buffered, and sends first. */
  readonly backlogReadings?: number;
  /** Hears of each fault when its device is switched on, when it begins and when it is over. */
  readonly onFault?: (fault: FaultRequest, stage: FaultStage) => void;
}

export type FaultStage = 'planned' | 'begins' | 'over';

/** A drift is to be seen while somebody waits. */
export const DRIFT_MS = 20_000;
const SAMPLES_A_MESSAGE = 100;

/** Switches the devices on, each publishing every `intervalMs`; a failed publish is logged and the next one tried. */
export async function startFleet(options: FleetOptions): Promise<{ stop: () => Promise<void> }> {
  const running = await Promise.all(
    options.devices.map((device, index) => {
      const protocol = PROTOCOLS[index % PROTOCOLS.length] ?? 'MQTT 5';
      return runDevice(device, protocol, options);
    }),
  );
  return {
    stop: async () => {
      await Promise.all(running.map((stop) => stop()));
    },
  };
}

const switchOn = async (
  device: DeviceIdentity,
  gateway: GatewayAddress,
  protocol: Protocol,
): Promise<RunningDevice> =>
  protocol === 'HTTPS'
    ? startHttpsDevice(device, gateway)
    : await startMqttDevice(device, gateway, protocol === 'MQTT 5' ? 5 : 4);

/** @returns what switches it off */
async function runDevice(
  device: DeviceIdentity,
  protocol: Protocol,
  options: FleetOptions,
): Promise<() => Promise<void>> {
  const { gateway, intervalMs, now, random } = options;
  const requests = (options.faults ?? []).filter(({ thing }) => thing === device.thing);
  const connection = await switchOn(device, gateway, protocol);
  // the same client id twice is one connection only, so a clone comes the other way
  const clone = requests.some(({ fault }) => fault === 'clone')
    ? await switchOn(device, gateway, protocol === 'HTTPS' ? 'MQTT 5' : 'HTTPS')
    : undefined;
  const atMs = now();
  const faults = requests.map((request) => planned(request, atMs));
  const sampleAt = simulateDevice({
    faults,
    random,
    cloneLaterMs: intervalMs / 2,
    driftMs: DRIFT_MS,
  });
  const sender = openSender(device, connection, clone, options);
  if (requests.length > 0) {
    const count = options.backlogReadings ?? 0;
    const times = Array.from({ length: count }, (_, at) => atMs - (count - at) * intervalMs);
    await sender.sendBacklog(times.flatMap(sampleAt));
  }
  const stopTelling = tellOfFaults(requests, atMs, options);
  const publish = () => {
    for (const sample of sampleAt(now())) sender.send(sample);
  };
  publish();
  const timer = setInterval(publish, intervalMs);
  return async () => {
    clearInterval(timer);
    stopTelling();
    sender.stop();
    await Promise.all([connection.stop(), clone?.stop()]);
  };
}

export const planned = (
  { fault, metric, afterMs, lastsMs }: FaultRequest,
  atMs: number,
): PlannedFault => ({ fault, metric, fromMs: atMs + afterMs, untilMs: atMs + afterMs + lastsMs });

/** Sends samples of a device as they come: those of its clone later, by the clone's connection. */
function openSender(
  device: DeviceIdentity,
  connection: RunningDevice,
  clone: RunningDevice | undefined,
  { log }: FleetOptions,
) {
  let sequence = 0;
  let stopped = false;
  const pending = new Set<NodeJS.Timeout>();
  const publish = async (by: RunningDevice, message: unknown): Promise<void> => {
    try {
      await by.publish(telemetryTopic(device), JSON.stringify(message));
    } catch (error) {
      const { thing } = device;
      if (!stopped) log({ level: 'warn', source: 'fleet', message: String(error), thing });
    }
  };
  return {
    async sendBacklog(samples: readonly Sample[]): Promise<void> {
      const messages = samples.map((sample) => climateMessage(sample, sequence++));
      for (let at = 0; at < messages.length; at += SAMPLES_A_MESSAGE) {
        await publish(connection, messages.slice(at, at + SAMPLES_A_MESSAGE));
      }
    },
    send(sample: Sample): void {
      const message = climateMessage(sample, sequence++);
      if (sample.elsewhere === undefined || clone === undefined) {
        void publish(connection, message);
        return;
      }
      const timer = setTimeout(() => {
        pending.delete(timer);
        void publish(clone, message);
      }, sample.elsewhere.laterMs);
      pending.add(timer);
    },
    stop(): void {
      stopped = true;
      for (const timer of pending) clearTimeout(timer);
    },
  };
}

/** Tells of each fault when it comes and goes. @returns what ends it */
export function tellOfFaults(
  requests: readonly FaultRequest[],
  switchedOnAtMs: number,
  { now, onFault = () => undefined }: Pick<FleetOptions, 'now' | 'onFault'>,
): () => void {
  const timers = requests.flatMap((request) => {
    onFault(request, 'planned');
    const { fromMs, untilMs } = planned(request, switchedOnAtMs);
    return [
      setTimeout(() => onFault(request, 'begins'), fromMs - now()),
      setTimeout(() => onFault(request, 'over'), untilMs - now()),
    ];
  });
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
