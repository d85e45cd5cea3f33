import type { IPublishPacket, UserProperties } from 'mqtt-packet';
import { encode } from './codec.ts';
import type { ProtocolVersion } from './structure.ts';

/** MQTT 5 properties that travel with a message from publisher to subscribers and rules. */
export interface MessageProperties {
  readonly payloadFormatIndicator?: boolean;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

export type Qos = 0 | 1;

/** A message on its way through the broker. */
export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties?: MessageProperties;
  /** Milliseconds since the epoch after which nobody gets it any more. */
  readonly expiresAtMs?: number;
  /** Client id of the publisher, for subscriptions with No Local. */
  readonly publisher?: string;
}

export const isExpired = (message: Message, nowMs: number): boolean =>
  message.expiresAtMs !== undefined && message.expiresAtMs <= nowMs;

/** A copy that does not hold on to the network buffer its payload was cut from. */
export const detached = (message: Message): Message => ({
  ...message,
  payload: Buffer.from(message.payload),
});

function userPropertyPairs(
  properties: UserProperties | undefined,
): readonly (readonly [string, string])[] | undefined {
  if (properties === undefined) return undefined;
  return Object.entries(properties).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  );
}

function userPropertyRecord(pairs: readonly (readonly [string, string])[]): UserProperties {
  const record: UserProperties = Object.create(null);
  for (const [name, value] of pairs) {
    const before = record[name];
    record[name] = before === undefined ? value : [before, value].flat();
  }
  return record;
}

type PublishProperties = NonNullable<IPublishPacket['properties']>;

/** The properties of a received PUBLISH that are passed on. */
export function messageProperties(from: PublishProperties): MessageProperties {
  const userProperties = userPropertyPairs(from.userProperties);
  return {
    ...(from.payloadFormatIndicator !== undefined && {
      payloadFormatIndicator: from.payloadFormatIndicator,
    }),
    ...(from.contentType !== undefined && { contentType: from.contentType }),
    ...(from.responseTopic !== undefined && { responseTopic: from.responseTopic }),
    ...(from.correlationData !== undefined && { correlationData: from.correlationData }),
    ...(userProperties !== undefined && { userProperties }),
  };
}

function publishProperties(message: Message, nowMs: number): PublishProperties {
  const { userProperties, ...rest } = message.properties ?? {};
  return {
    ...rest,
    ...(userProperties !== undefined && { userProperties: userPropertyRecord(userProperties) }),
    // what is left of its life, rounded up so that a message is never sent with 0 [MQTT-3.3.2-6]
    ...(message.expiresAtMs !== undefined && {
      messageExpiryInterval: Math.max(1, Math.ceil((message.expiresAtMs - nowMs) / 1000)),
    }),
  };
}

export interface Sending {
  readonly qos: Qos;
  readonly retain: boolean;
  readonly messageId?: number;
  readonly version: ProtocolVersion;
  readonly nowMs: number;
}

/** The PUBLISH packet for one subscriber; DUP is never set, as AWS does not support it. */
export function encodePublish(message: Message, sending: Sending): Buffer {
  const { version, messageId, qos, retain } = sending;
  const packet: IPublishPacket = {
    cmd: 'publish',
    topic: message.topic,
    payload: message.payload,
    qos,
    retain,
    dup: false,
    ...(messageId !== undefined && { messageId }),
    ...(version === 5 && { properties: publishProperties(message, sending.nowMs) }),
  };
  return encode(packet, version);
}
