import type { BrokerState } from './broker-state.ts';
import { deliverLocally } from './deliver.ts';
import type { Inbound } from './inbound.ts';
import type { Message } from './message.ts';
import { basicIngest } from './topic.ts';

/**
 * Takes a message that may be published: keeps it if it is to be retained, hands it to the subscribers
 * of now, then to the rules. Basic Ingest goes to the rules alone.
 *
 * @returns a promise that settles as the rules engine's
 */
export function distribute(broker: BrokerState, message: Message, inbound: Inbound): Promise<void> {
  if (basicIngest(message.topic) === undefined) {
    if (message.retain) retain(broker, message);
    deliverLocally(broker, message);
  }
  return broker.publishToRules(inbound);
}

const REASONS = {
  'too-many': 'the broker keeps no more retained messages',
  'too-fast': 'one retained message a second and topic is kept',
} as const;

function retain(broker: BrokerState, message: Message): void {
  const result = broker.retained.store(message, broker.now());
  if (result === 'kept' || result === 'deleted') return;
  broker.log({
    level: 'warn',
    source: 'gateway',
    message: `passed on but not retained: ${REASONS[result]}`,
    topic: message.topic,
  });
}
