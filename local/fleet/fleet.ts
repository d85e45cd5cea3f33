import type { Log } from '../core/log.ts';
import {
  climatePayload,
  type DeviceIdentity,
  type GatewayAddress,
  type RunningDevice,
  telemetryTopic,
} from './device.ts';
import { startHttpsDevice } from './https-device.ts';
import { startMqttDevice } from './mqtt-device.ts';

/** The protocols that the simulated devices take in turn. */
const PROTOCOLS = ['MQTT 5', 'MQTT 3.1.1', 'HTTPS'] as const;
type Protocol = (typeof PROTOCOLS)[number];

export interface FleetOptions {
  readonly devices: readonly DeviceIdentity[];
  readonly gateway: GatewayAddress;
  readonly intervalMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

/** Switches the devices on, each publishing every `intervalMs`; a failed publish is logged and the next one tried. */
export async function startFleet(options: FleetOptions): Promise<{ stop: () => Promise<void> }> {
  const running = await Promise.all(
    options.devices.map(async (device, index) => {
      const protocol = PROTOCOLS[index % PROTOCOLS.length] ?? 'MQTT 5';
      const connection = await switchOn(device, options.gateway, protocol);
      const stopPublishing = publishRegularly(device, connection, options);
      return { connection, stopPublishing };
    }),
  );
  return {
    stop: async () => {
      for (const { stopPublishing } of running) stopPublishing();
      await Promise.all(running.map(({ connection }) => connection.stop()));
    },
  };
}

async function switchOn(
  device: DeviceIdentity,
  gateway: GatewayAddress,
  protocol: Protocol,
): Promise<RunningDevice> {
  if (protocol === 'HTTPS') return startHttpsDevice(device, gateway);
  return await startMqttDevice(device, gateway, protocol === 'MQTT 5' ? 5 : 4);
}

function publishRegularly(
  device: DeviceIdentity,
  connection: RunningDevice,
  { intervalMs, now, random, log }: FleetOptions,
): () => void {
  let sequence = 0;
  let stopped = false;
  const publish = () => {
    const payload = climatePayload(now(), sequence++, random);
    connection.publish(telemetryTopic(device), payload).catch((error: unknown) => {
      if (!stopped)
        log({ level: 'warn', source: 'fleet', message: String(error), thing: device.thing });
    });
  };
  publish();
  const timer = setInterval(publish, intervalMs);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
