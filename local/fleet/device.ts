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
