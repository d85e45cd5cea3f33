import type { IConnectPacket } from 'mqtt-packet';
import type { Will } from './connection.ts';
import type { Limits } from './limits.ts';
import { messageProperties } from './message.ts';
import { propertiesProblem } from './property-limits.ts';
import { Reason, type ReasonCode } from './reason.ts';
import { reservedPublishProblem } from './reserved.ts';
import { topicProblem } from './topic.ts';

type WillPacket = NonNullable<IConnectPacket['will']>;

const payloadOf = ({ payload }: WillPacket): Buffer => Buffer.from(payload);

/** Why a CONNECT cannot have this Will, whatever the policies say. */
export function willProblem(
  will: WillPacket,
  limits: Limits,
): { code: ReasonCode; text: string } | undefined {
  if (will.qos === 2) return { code: Reason.qosNotSupported, text: 'Will asks for QoS 2' };
  const topic = topicProblem(will.topic, limits) ?? reservedPublishProblem(will.topic);
  if (topic !== undefined) return { code: Reason.topicInvalid, text: `Will topic ${topic}` };
  const bytes = Buffer.byteLength(will.payload);
  if (bytes > limits.payloadBytes) {
    const text = `Will payload of ${bytes} bytes; at most ${limits.payloadBytes} are allowed`;
    return { code: Reason.quotaExceeded, text };
  }
  const properties = propertiesProblem(messageProperties(will.properties ?? {}), limits);
  if (properties === undefined) return undefined;
  return { code: Reason.quotaExceeded, text: `Will: ${properties}` };
}

export function readWill(
  will: WillPacket | undefined,
  clientId: string,
  limits: Limits,
): Will | undefined {
  if (will === undefined) return undefined;
  const { properties = {} } = will;
  const expiry = properties.messageExpiryInterval;
  return {
    message: {
      topic: will.topic,
      payload: payloadOf(will),
      qos: will.qos === 1 ? 1 : 0,
      retain: will.retain ?? false,
      properties: messageProperties(properties),
      publisher: clientId,
    },
    delaySeconds: properties.willDelayInterval ?? 0,
    ...(expiry !== undefined && {
      expirySeconds: Math.min(Math.max(expiry, 1), limits.messageExpiryMaxSeconds),
    }),
  };
}
