import { generate, type Packet, parser } from 'mqtt-packet';
import type { LogEntry } from '../../../../local/core/log.ts';
import { createAccess } from '../../../../local/core/mqtt/access.ts';
import { createBroker } from '../../../../local/core/mqtt/broker.ts';
import type { Inbound } from '../../../../local/core/mqtt/inbound.ts';
import { LAPTOP_LIMITS, type Limits } from '../../../../local/core/mqtt/limits.ts';
import type { GatewayEvent } from '../../../../local/core/mqtt/refusal.ts';
import { compilePolicies } from '../../../../local/core/policy/index.ts';
import { manualClock } from '../../stores/manual-clock.ts';

const ARN = 'arn:aws:iot:eu-central-1:000000000000';

/** Lets everybody do everything, persistent sessions and Wills included. */
const OPEN_POLICY = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'iot:*', Resource: '*' },
    {
      Effect: 'Allow',
      Action: 'iot:Connect',
      Resource: '*',
      Condition: {
        'ForAllValues:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect', 'LastWill'] },
      },
    },
  ],
};

export const deny = (action: string, resource: string) => ({
  Version: '2012-10-17',
  Statement: [
    ...OPEN_POLICY.Statement,
    { Sid: 'no', Effect: 'Deny', Action: action, Resource: `${ARN}:${resource}` },
  ],
});

export type Version = 4 | 5;

export interface ConnectOptions {
  readonly version?: Version;
  readonly clean?: boolean;
  readonly keepalive?: number;
  readonly will?: Extract<Packet, { cmd: 'connect' }>['will'];
  readonly properties?: Extract<Packet, { cmd: 'connect' }>['properties'];
}

/** The other end of a connection: what it sends, and what it has seen. */
export type Device = ReturnType<World['device']>;

export interface WorldOptions {
  readonly limits?: Partial<Limits>;
  readonly publishToRules?: (inbound: Inbound) => Promise<void>;
}

export type World = ReturnType<typeof brokerWorld>;

/** A broker on a clock that stands still, with devices whose network is an array. */
export function brokerWorld(options: WorldOptions = {}) {
  const clock = manualClock();
  const log: LogEntry[] = [];
  const events: GatewayEvent[] = [];
  const inbound: Inbound[] = [];
  let policy: unknown = OPEN_POLICY;
  let revision = 0;
  let ids = 0;
  const broker = createBroker(
    {
      now: clock.now,
      uuid: () => `id-${++ids}`,
      timers: clock.timer,
      log: (entry) => log.push(entry),
      onEvent: (event) => events.push(event),
      publishToRules: async (message) => {
        inbound.push(message);
        await options.publishToRules?.(message);
      },
    },
    { ...LAPTOP_LIMITS, ...options.limits },
  );

  const device = (id: string, connect: ConnectOptions = {}) => {
    const version = connect.version ?? 4;
    const seen: Packet[] = [];
    const state = { closed: false, paused: false, unsent: 0 };
    const reader = parser({ protocolVersion: version });
    reader.on('packet', (packet) => seen.push(packet));
    const handle = broker.accept(
      {
        write: (bytes) => void reader.parse(bytes),
        get bufferedBytes() {
          return state.unsent;
        },
        pause: () => {
          state.paused = true;
        },
        resume: () => {
          state.paused = false;
        },
        end: () => {
          state.closed = true;
        },
      },
      {
        protocol: 'mqtt',
        principal: `certificate-${id}`,
        sourceIp: '192.0.2.1',
        accessFor: (clientId) =>
          createAccess({
            arnPrefix: ARN,
            read: () => ({
              policies: compilePolicies([{ name: 'test', document: policy }], 'iot'),
              context: { 'iot:ClientId': clientId },
            }),
            revision: () => revision,
          }),
      },
    );
    const send = (packet: Packet) => handle.data(generate(packet, { protocolVersion: version }));
    return {
      seen,
      state,
      send,
      sendBytes: (bytes: Buffer) => handle.data(bytes),
      /** The network is gone without a word. */
      lose: () => handle.closed(),
      drained: () => handle.drained(),
      /** Topics and payloads of the messages it got. */
      got: () =>
        seen.flatMap((packet) =>
          packet.cmd === 'publish' ? [`${packet.topic} ${packet.payload.toString()}`] : [],
        ),
      of: <Cmd extends Packet['cmd']>(cmd: Cmd) =>
        seen.filter((packet): packet is Extract<Packet, { cmd: Cmd }> => packet.cmd === cmd),
      connect() {
        const { clean = true, keepalive = 60, will, properties } = connect;
        send({
          cmd: 'connect',
          clientId: id,
          protocolVersion: version,
          clean,
          keepalive,
          ...(will !== undefined && { will }),
          ...(properties !== undefined && { properties }),
        });
        return this;
      },
      subscribe(
        topic: string,
        more: { qos?: 0 | 1; nl?: boolean; rap?: boolean; rh?: number } = {},
      ) {
        const subscription = { topic, qos: 1 as const, ...more };
        send({ cmd: 'subscribe', messageId: 1, subscriptions: [subscription] });
        return this;
      },
      publish(
        topic: string,
        payload: string,
        more: Partial<Extract<Packet, { cmd: 'publish' }>> = {},
      ) {
        const rest = { qos: 0 as const, dup: false, retain: false, ...more };
        const messageId = rest.qos === 0 ? {} : { messageId: rest.messageId ?? 1 };
        send({ cmd: 'publish', topic, payload, ...rest, ...messageId });
        return this;
      },
    };
  };

  return {
    broker,
    clock,
    log,
    events,
    inbound,
    device,
    /** A device that has connected. */
    online: (id: string, connect?: ConnectOptions) => device(id, connect).connect(),
    setPolicy(document: unknown): void {
      policy = document;
      revision += 1;
    },
    /** Bodies of the lifecycle events, by their topic's part after `$aws/events/`. */
    lifecycle: () =>
      events.flatMap((event) =>
        event.type === 'lifecycle' ? [{ ...event.body, on: event.topic.slice(12) }] : [],
      ),
    messages: () =>
      inbound.flatMap(({ topic, payload }) =>
        topic.startsWith('$aws/events/') ? [] : [`${topic} ${Buffer.from(payload).toString()}`],
      ),
  };
}

/** Lets promises that are already settled run their course. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
