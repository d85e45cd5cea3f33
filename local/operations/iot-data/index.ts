import * as z from 'zod';
import { AwsError, type Operation, operation, type RestParts } from '../operation.ts';

/** What the data plane acts on. */
export interface IotDataDeps {
  readonly accountId: string;
  readonly region: string;
  readonly publish: (message: PublishedMessage) => Promise<void>;
  readonly disconnect: (
    clientId: string,
    options: { preventWillMessage: boolean; cleanSession: boolean },
  ) => boolean;
}

export interface PublishedMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Signing names under which clients call it. */
const SERVICES = ['iotdata', 'iotdevicegateway'] as const;

/** Publish and DeleteConnection of the data plane, for callers that sign. */
export const iotDataOperations = (deps: IotDataDeps): Operation[] =>
  SERVICES.flatMap((service) => [publish(service, deps), deleteConnection(service, deps)]);

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const arn = ({ region, accountId }: IotDataDeps, resource: string): string =>
  `arn:aws:iot:${region}:${accountId}:${resource}`;

const PublishInput = z.strictObject({
  topic: z.string().min(1),
  payload: z.instanceof(Uint8Array),
  qos: z
    .enum(['0', '1'])
    .default('0')
    .transform((text) => (text === '1' ? 1 : 0)),
  retain: flag,
});

/** Members that only MQTT 5 has, which this call does not carry on yet: refused by name. */
const NOT_CARRIED = ['contentType', 'responseTopic', 'messageExpiry'];

function publishParts({ labels, query, headers, body }: RestParts): unknown {
  const asked = [
    ...NOT_CARRIED.filter((name) => query.has(name)),
    ...Object.keys(headers).filter((name) => name.startsWith('x-amz-mqtt5-')),
  ];
  if (asked.length > 0) {
    const text = `Publish here does not take ${asked.join(', ')}; publish over HTTPS at the gateway`;
    throw new AwsError('InvalidRequestException', text);
  }
  return { ...Object.fromEntries(query), ...labels, payload: body };
}

const publish = (service: string, deps: IotDataDeps): Operation =>
  operation({
    route: { service, method: 'POST', path: '/topics/{topic+}' },
    input: PublishInput,
    invalidInputCode: 'InvalidRequestException',
    fromHttp: publishParts,
    needs: ({ topic, retain }) => {
      const resource = arn(deps, `topic/${topic}`);
      const needed = { action: 'iot:Publish', resource };
      return retain ? [needed, { action: 'iot:RetainPublish', resource }] : [needed];
    },
    denialCode: () => 'ForbiddenException',
    run: async ({ input }) => {
      try {
        await deps.publish(input);
      } catch (error) {
        if (error instanceof RangeError)
          throw new AwsError('InvalidRequestException', error.message);
        throw error;
      }
    },
  });

const deleteConnection = (service: string, deps: IotDataDeps): Operation =>
  operation({
    route: { service, method: 'DELETE', path: '/connections/{clientId}' },
    input: z.strictObject({
      clientId: z.string().min(1).max(128),
      cleanSession: flag,
      preventWillMessage: flag,
    }),
    invalidInputCode: 'InvalidRequestException',
    needs: ({ clientId }) => [
      { action: 'iot:DeleteConnection', resource: arn(deps, `client/${clientId}`) },
    ],
    denialCode: () => 'ForbiddenException',
    run: ({ input: { clientId, ...options } }) => {
      if (deps.disconnect(clientId, options)) return;
      throw new AwsError('ResourceNotFoundException', `no client is connected as ${clientId}`, 404);
    },
  });
