import type { Limits } from './limits.ts';
import type { MessageProperties } from './message.ts';
import { type Problem, topicProblem } from './topic.ts';

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');

const tooLong = (name: string, actual: number, limit: number): Problem | undefined =>
  actual > limit ? `${name} of ${actual} bytes; at most ${limit} are allowed` : undefined;

/** Why a message's MQTT 5 properties are refused, if they are. */
export function propertiesProblem(
  properties: MessageProperties,
  limits: Limits,
): Problem | undefined {
  const { userProperties = [], contentType = '', correlationData, responseTopic } = properties;
  const userBytes = userProperties.reduce(
    (sum, [name, value]) => sum + bytes(name) + bytes(value),
    0,
  );
  return (
    tooLong('user properties', userBytes, limits.userPropertiesBytes) ??
    tooLong('content type', bytes(contentType), limits.contentTypeBytes) ??
    tooLong('correlation data', correlationData?.length ?? 0, limits.correlationDataBytes) ??
    responseTopicProblem(responseTopic, limits)
  );
}

function responseTopicProblem(topic: string | undefined, limits: Limits): Problem | undefined {
  const problem = topic === undefined ? undefined : topicProblem(topic, limits);
  return problem === undefined ? undefined : `response topic ${problem}`;
}

/** When a message with this Message Expiry Interval dies: 1 s at least, 7 days at most, as AWS adjusts it. */
export function expiryMs(
  seconds: number | undefined,
  nowMs: number,
  limits: Limits,
): number | undefined {
  if (seconds === undefined) return undefined;
  return nowMs + Math.min(Math.max(seconds, 1), limits.messageExpiryMaxSeconds) * 1000;
}
