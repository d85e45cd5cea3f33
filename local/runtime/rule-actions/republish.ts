import * as z from 'zod';
import {
  ActionError,
  type ActionKind,
  type ActionTools,
  type Parameter,
  type RepublishedMessage,
  type Turn,
} from './action.ts';

const text = z.string().max(1024);

const Headers = z.strictObject({
  PayloadFormatIndicator: text.optional(),
  ContentType: text.optional(),
  ResponseTopic: text.optional(),
  /** Base64. */
  CorrelationData: text.optional(),
  UserProperties: z
    .array(z.strictObject({ Key: text, Value: text }))
    .min(1)
    .max(100)
    .optional(),
});

const Declaration = z.strictObject({
  Topic: z.string().min(1),
  Qos: z.literal([0, 1]).default(0),
  Headers: Headers.optional(),
  RoleArn: z.string(),
});

const MAX_TOPIC_BYTES = 256;

/** @see IoT Core Developer Guide, Republish action (MQTT 5 headers without message expiry) */
export const republish: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ Topic, Qos, Headers: headers, RoleArn }, tools) {
    const { deliver } = tools.sinks;
    if (deliver === undefined) throw new Error('the laptop has no broker here');
    if (Topic.startsWith('$aws/')) {
      throw new Error(`write $${Topic}: a rule reaches reserved topics with two dollar signs`);
    }
    const topic = tools.parameter(Topic.replace(/^\$\$aws\//, '$aws/'));
    const properties = headers && headerParameters(headers, tools);
    return {
      name: 'RepublishAction',
      resource: Topic,
      async prepare(turn) {
        const resource = await topic(turn);
        const { payload } = turn;
        const rendered = properties && (await properties(turn));
        const attempt = () => {
          tools.demand(RoleArn, [{ action: 'iot:Publish', resource: topicArn(tools, resource) }]);
          checkTopic(resource);
          const message = { topic: resource, payload, qos: Qos };
          return deliver({ ...message, ...(rendered && { properties: rendered }) });
        };
        return { resource, attempt };
      },
    };
  },
};

const topicArn = ({ region, accountId }: ActionTools, topic: string): string =>
  `arn:aws:iot:${region}:${accountId}:topic/${topic}`;

function checkTopic(topic: string): void {
  const problem =
    (topic === '' && 'is empty') ||
    (/[+#]|\0/.test(topic) && 'has a wildcard or a null character in it') ||
    (Buffer.byteLength(topic) > MAX_TOPIC_BYTES && `is longer than ${MAX_TOPIC_BYTES} bytes`);
  if (problem) throw new ActionError(`The topic ${JSON.stringify(topic)} ${problem}.`);
}

type Properties = NonNullable<RepublishedMessage['properties']>;

function headerParameters(headers: z.infer<typeof Headers>, { parameter }: ActionTools) {
  const optional = (declared: string | undefined) =>
    declared === undefined ? undefined : parameter(declared);
  const format = optional(headers.PayloadFormatIndicator);
  const contentType = optional(headers.ContentType);
  const responseTopic = optional(headers.ResponseTopic);
  const correlationData = optional(headers.CorrelationData);
  const pairs = headers.UserProperties?.map(
    ({ Key, Value }) => [parameter(Key), parameter(Value)] as const,
  );

  return async (turn: Turn): Promise<Properties> => ({
    ...(format && { payloadFormatIndicator: isUtf8(await format(turn)) }),
    ...(contentType && { contentType: await contentType(turn) }),
    ...(responseTopic && { responseTopic: await responseTopic(turn) }),
    ...(correlationData && { correlationData: bytesOf(await correlationData(turn)) }),
    ...(pairs && { userProperties: await Promise.all(pairs.map((pair) => render(pair, turn))) }),
  });
}

const render = async (
  [key, value]: readonly [Parameter, Parameter],
  turn: Turn,
): Promise<readonly [string, string]> => [await key(turn), await value(turn)];

function isUtf8(indicator: string): boolean {
  if (indicator === 'UTF8_DATA') return true;
  if (indicator === 'UNSPECIFIED_BYTES') return false;
  throw new ActionError(
    `PayloadFormatIndicator ${JSON.stringify(indicator)} is neither UTF8_DATA nor UNSPECIFIED_BYTES.`,
  );
}

function bytesOf(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')) return bytes;
  throw new ActionError(`CorrelationData ${JSON.stringify(base64)} is not base64.`);
}
