import { basicIngest, type Problem } from './topic.ts';

/** The rest of it is answered by whoever has the templates, before anybody asks here. */
const UNSERVED = 'in CBOR, with keys made by the cloud, or without a template';

/** Reserved families that AWS serves and the laptop does not: refused by these names. */
const ABSENT: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^\$aws\/things\/[^/]+\/shadow(\/|$)/, 'Device Shadow'],
  [/^\$aws\/things\/[^/]+\/jobs(\/|$)/, 'AWS IoT Jobs'],
  [/^\$aws\/things\/[^/]+\/defender(\/|$)/, 'Device Defender metrics over MQTT'],
  [/^\$aws\/things\/[^/]+\/tunnels(\/|$)/, 'secure tunneling'],
  [/^\$aws\/things\/[^/]+\/streams(\/|$)/, 'MQTT-based file delivery'],
  [/^\$aws\/certificates(\/|$)/, `fleet provisioning ${UNSERVED}`],
  [/^\$aws\/provisioning-templates(\/|$)/, `fleet provisioning ${UNSERVED}`],
  [/^\$aws\/sitewise(\/|$)/, 'IoT SiteWise'],
  [/^\$aws\/iotwireless(\/|$)/, 'LoRaWAN events over MQTT'],
];

const absent = (topic: string): Problem | undefined => {
  const found = ABSENT.find(([pattern]) => pattern.test(topic));
  return found === undefined
    ? undefined
    : `belongs to ${found[1]}, which this broker does not serve`;
};

/** Why a client may not publish to a topic that begins with `$`, whatever its policy says. */
export function reservedPublishProblem(topic: string): Problem | undefined {
  if (!topic.startsWith('$') || basicIngest(topic) !== undefined) return undefined;
  if (topic.startsWith('$aws/rules/')) {
    return 'is no Basic Ingest topic; write $aws/rules/RULE_NAME/TOPIC';
  }
  if (topic.startsWith('$aws/events/')) return 'is reserved: only the service publishes events';
  return absent(topic) ?? 'begins with $, which is reserved for the service';
}

/** Why nobody can subscribe to this filter, whatever the policy says. */
export function reservedFilterProblem(filter: string): Problem | undefined {
  if (!filter.startsWith('$aws/')) return undefined;
  if (filter.startsWith('$aws/rules/')) {
    return 'is Basic Ingest, which goes to rules only and never to subscribers';
  }
  return absent(filter);
}
