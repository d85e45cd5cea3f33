import type { ISubscribePacket, ISubscription } from 'mqtt-packet';
import type { BrokerState } from '../broker-state.ts';
import { expel } from '../close.ts';
import { encode } from '../codec.ts';
import type { Client, Connection } from '../connection.ts';
import { deliverRetained } from '../deliver.ts';
import { publishSubscriptions } from '../lifecycle.ts';
import { Reason, type ReasonCode } from '../reason.ts';
import { reportBrokerRefusal, reportPolicyRefusal } from '../refusal.ts';
import { reservedFilterProblem } from '../reserved.ts';
import type { Subscription } from '../session.ts';
import { subjectOf } from '../subject.ts';
import { type ParsedFilter, parseFilter } from '../topic.ts';

/** What became of one filter: its SUBACK code, and the subscription where there is one. */
type Outcome =
  | { readonly code: 0 | 1; readonly subscription: Subscription; readonly isNew: boolean }
  | { readonly code: ReasonCode };

/** SUBSCRIBE: each filter is decided on its own; those granted count at once. */
export function onSubscribe(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  packet: ISubscribePacket,
): void {
  if (isFatal(broker, connection, client, packet)) return;
  const outcomes = packet.subscriptions.map((asked) =>
    packet.subscriptions.length > broker.limits.filtersPerSubscribe
      ? { code: Reason.quotaExceeded }
      : subscribe(broker, connection, client, asked),
  );
  acknowledge(connection, client, packet, outcomes);
  announce(broker, connection, client, outcomes);
  outcomes.forEach((outcome, index) => {
    sendRetained(broker, client, packet.subscriptions[index], outcome);
  });
}

function isFatal(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  { subscriptions, properties }: ISubscribePacket,
): boolean {
  const fatal = (code: ReasonCode, text: string): true => {
    expel(broker, connection, code, text);
    return true;
  };
  if (properties?.subscriptionIdentifier !== undefined) {
    return fatal(Reason.subscriptionIdsNotSupported, 'subscription identifiers are not supported');
  }
  if (subscriptions.some(({ qos }) => qos === 2)) {
    return fatal(Reason.qosNotSupported, 'SUBSCRIBE with QoS 2; 0 and 1 are supported');
  }
  if (subscriptions.some(({ topic, nl }) => nl === true && topic.startsWith('$share/'))) {
    return fatal(Reason.protocolError, 'No Local on a shared subscription [MQTT-3.8.3-4]');
  }
  const { filtersPerSubscribe } = broker.limits;
  if (subscriptions.length <= filtersPerSubscribe) return false;
  const text = `SUBSCRIBE with ${subscriptions.length} filters; at most ${filtersPerSubscribe} are allowed`;
  if (client.version === 4) return fatal(Reason.quotaExceeded, text);
  reportBrokerRefusal(broker, subjectOf(connection), 'SUBSCRIBE', text);
  return false;
}

function subscribe(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  asked: ISubscription,
): Outcome {
  const refuse = (code: ReasonCode, problem: string): Outcome => {
    const text = `filter ${JSON.stringify(asked.topic)} ${problem}`;
    reportBrokerRefusal(broker, subjectOf(connection), 'SUBSCRIBE', text);
    return { code };
  };
  const parsed = parseFilter(asked.topic, broker.limits);
  if ('problem' in parsed) return refuse(Reason.filterInvalid, parsed.problem);
  const reserved = broker.serviceTopics?.answersOn(parsed.filter)
    ? undefined
    : reservedFilterProblem(parsed.filter);
  if (reserved !== undefined) return refuse(Reason.filterInvalid, reserved);
  const full = quotaProblem(broker, client, asked.topic, parsed);
  if (full !== undefined) return refuse(Reason.quotaExceeded, full);
  if (!isAllowed(broker, connection, client, asked.topic)) return { code: Reason.notAuthorized };
  return add(broker, client, asked, parsed);
}

function quotaProblem(
  { limits, subscriptions }: BrokerState,
  { session }: Client,
  text: string,
  { filter, group }: ParsedFilter,
): string | undefined {
  if (session.subscriptions.has(text)) return undefined;
  if (session.subscriptions.size >= limits.subscriptionsPerConnection) {
    return `would be subscription ${session.subscriptions.size + 1}; at most ${limits.subscriptionsPerConnection} are allowed`;
  }
  if (group === undefined || subscriptions.shareMembers(group, filter) < limits.shareMembers) {
    return undefined;
  }
  return `already has ${limits.shareMembers} members, which is the most`;
}

function isAllowed(
  broker: BrokerState,
  connection: Connection,
  { access }: Client,
  filter: string,
): boolean {
  const { decision } = access.decide('iot:Subscribe', filter);
  if (decision.allowed) return true;
  const resource = access.resource('iot:Subscribe', filter);
  const refused = { action: 'iot:Subscribe', resource, decision } as const;
  reportPolicyRefusal(broker, subjectOf(connection), refused);
  return false;
}

function add(
  broker: BrokerState,
  { session }: Client,
  asked: ISubscription,
  parsed: ParsedFilter,
): Outcome {
  const code = asked.qos === 1 ? 1 : 0;
  const subscription: Subscription = {
    text: asked.topic,
    filter: parsed.filter,
    qos: code,
    noLocal: asked.nl ?? false,
    retainAsPublished: asked.rap ?? false,
    ...(parsed.group !== undefined && { group: parsed.group }),
  };
  const isNew = !session.subscriptions.has(asked.topic);
  session.subscriptions.set(asked.topic, subscription);
  broker.subscriptions.add(session, subscription);
  return { code, subscription, isNew };
}

const FAILURE_311 = 0x80;

function acknowledge(
  { transport }: Connection,
  { version }: Client,
  { messageId }: ISubscribePacket,
  outcomes: readonly Outcome[],
): void {
  const granted = outcomes.map(({ code }) => (version === 4 && code > 1 ? FAILURE_311 : code));
  transport.write(
    encode({ cmd: 'suback', granted, ...(messageId !== undefined && { messageId }) }, version),
  );
}

function announce(
  broker: BrokerState,
  connection: Connection,
  client: Client,
  outcomes: readonly Outcome[],
): void {
  const topics = outcomes.flatMap((outcome) =>
    'subscription' in outcome ? [outcome.subscription.text] : [],
  );
  if (topics.length > 0) publishSubscriptions(broker, connection, client, 'subscribed', topics);
}

/** Retain Handling 1 sends for new subscriptions only, 2 never [MQTT5 3.8.3.1]; shared ones get none. */
function sendRetained(
  broker: BrokerState,
  { session }: Client,
  asked: ISubscription | undefined,
  outcome: Outcome,
): void {
  if (!('subscription' in outcome) || outcome.subscription.group !== undefined) return;
  if (asked?.rh === 2 || (asked?.rh === 1 && !outcome.isNew)) return;
  const message = broker.retained.get(outcome.subscription.filter, broker.now());
  if (message !== undefined) deliverRetained(broker, session, message, outcome.code);
}
