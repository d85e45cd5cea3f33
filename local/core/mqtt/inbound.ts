import type { MessageProperties } from './message.ts';

/** A message as the rules engine takes it, lifecycle events included. */
export interface Inbound {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly protocol: 'mqtt' | 'https';
  /** Certificate id for X.509. */
  readonly principal: string;
  /** None over HTTPS and for messages of the service itself. */
  readonly clientId?: string;
  readonly sourceIp: string;
  /** None over HTTPS. */
  readonly traceId?: string;
  readonly mqtt5?: InboundProperties;
}

export interface InboundProperties {
  readonly contentType?: string;
  readonly formatIndicator?: 'UTF8_DATA' | 'UNSPECIFIED_BYTES';
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly userProperties?: readonly (readonly [string, string])[];
}

/** MQTT 5 properties by the names that `get_mqtt_property` knows them. */
export function inboundProperties(properties: MessageProperties): InboundProperties {
  const { payloadFormatIndicator, ...rest } = properties;
  if (payloadFormatIndicator === undefined) return rest;
  return { ...rest, formatIndicator: payloadFormatIndicator ? 'UTF8_DATA' : 'UNSPECIFIED_BYTES' };
}
