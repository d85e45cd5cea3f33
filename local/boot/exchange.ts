import type { Inbound } from '../core/mqtt/inbound.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import type { RulesEngine } from '../runtime/rules-engine.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import type { Gateway, ServiceMessage } from '../servers/gateway.ts';
import type { Backend } from './backend.ts';
import { createDelivery } from './delivery.ts';

/** What the pieces of the laptop say to each other. They are opened one after the other and refer to each other in a ring. */
export interface Exchange {
  /** `http://127.0.0.1:<port>`, empty until the endpoint listens. */
  readonly url: () => string;
  readonly sendToQueue: Backend['queues']['send'];
  /** Publishes to subscribers and rules; nobody hears it before the gateway is open. */
  readonly publishToDevices: (message: ServiceMessage) => Promise<void>;
  readonly disconnect: Gateway['disconnect'];
  readonly publishToRules: (inbound: Inbound) => Promise<void>;
  /** Puts a message on a queue or a topic, or an event before a function, by ARN. */
  readonly deliver: ReturnType<typeof createDelivery>;
}

/** The far ends of the lines, each set when its piece is open. */
export interface Ends {
  backend?: Backend;
  gateway?: Gateway;
  rules?: RulesEngine;
  lambda?: Pick<LambdaRuntime, 'invokeAsync'>;
  publish?: Publish;
}

export function createExchange(ends: Ends): Exchange {
  const sendToQueue: Exchange['sendToQueue'] = (queue, message) =>
    opened(ends, 'backend').queues.send(queue, message);
  return {
    url: () => ends.backend?.url ?? '',
    sendToQueue,
    publishToDevices: async (message) => ends.gateway?.deliver(message),
    disconnect: (clientId, how) => ends.gateway?.disconnect(clientId, how) ?? false,
    publishToRules: (inbound) => opened(ends, 'rules').publish(inbound),
    deliver: createDelivery({
      sendToQueue,
      invokeAsync: (...call) => opened(ends, 'lambda').invokeAsync(...call),
      publish: (...message) => opened(ends, 'publish')(...message),
    }),
  };
}

function opened<Name extends keyof Ends>(ends: Ends, name: Name): NonNullable<Ends[Name]> {
  const piece = ends[name];
  if (piece === undefined) throw new Error(`The laptop's ${name} is not open yet`);
  return piece;
}
