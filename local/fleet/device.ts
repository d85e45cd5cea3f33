/** What a simulated device needs to open a connection: its identity and where the gateway is. */
export interface DeviceIdentity {
  readonly thing: string;
  readonly fleet: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** What it trusts the gateway by. */
  readonly caPem: string;
}

export interface GatewayAddress {
  readonly host: string;
  readonly mqttPort: number;
  readonly httpsPort: number;
}

/** A device that is switched on. */
export interface RunningDevice {
  /** @returns when the gateway has acknowledged the message (QoS 1, or HTTP 200) */
  readonly publish: (topic: string, payload: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const telemetryTopic = ({ fleet, thing }: DeviceIdentity): string =>
  `dt/${fleet}/${thing}/telemetry`;

/** Milliseconds of a day, over which the simulated temperature swings once. */
const DAY_MS = 86_400_000;

/**
 * What a small climate sensor would say: a day's swing, a little noise, a battery that runs down.
 *
 * @param sequence  counts the device's messages from 0
 * @returns         JSON with the device's own time `ts` (ms) and counter `seq`
 */
export function climatePayload(nowMs: number, sequence: number, random: () => number): string {
  const swing = Math.sin((2 * Math.PI * (nowMs % DAY_MS)) / DAY_MS);
  const temperature = 21 + 4 * swing + (random() - 0.5);
  const humidity = 45 - 8 * swing + 2 * (random() - 0.5);
  return JSON.stringify({
    ts: nowMs,
    seq: sequence,
    temperature: { value: round(temperature), unit: 'Cel' },
    humidity: { value: round(humidity), unit: '%RH' },
    battery: round(Math.max(0, 100 - sequence / 1000)),
  });
}

const round = (value: number): number => Math.round(value * 100) / 100;
