import { controlOperations } from '../operations/control/index.ts';
import { authorizerOperations } from '../operations/iot/authorizers.ts';
import { iotOperations } from '../operations/iot/index.ts';
import { iotDataOperations } from '../operations/iot-data/index.ts';
import { lambdaOperations } from '../operations/lambda/index.ts';
import type { Operation } from '../operations/operation.ts';
import { snsOperations } from '../operations/sns/index.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import type { RefusalBook } from '../runtime/refusal-book.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import type { TopicStore } from '../stores/topic-store.ts';
import type { Exchange } from './exchange.ts';
import type { Identity } from './identity.ts';
import type { World } from './world.ts';

export interface ControlPlaneOptions
  extends Pick<World, 'accountId' | 'region' | 'uuid'>,
    Pick<Identity, 'registry' | 'pki' | 'authorizerStore' | 'authorizers' | 'domains'> {
  readonly lambda: LambdaRuntime;
  readonly exchange: Exchange;
  readonly refusals: RefusalBook;
  readonly topics: TopicStore;
  readonly publish: Publish;
}

/** The APIs that handlers and operators call, beside those of the stores. */
export function controlPlane(options: ControlPlaneOptions): Operation[] {
  const { registry, pki, authorizerStore, authorizers, domains, exchange, uuid } = options;
  const { lambda, refusals, topics, publish } = options;
  const place = { accountId: options.accountId, region: options.region };
  return [
    ...iotOperations({ registry, pki, ...place, endpointOf }),
    ...authorizerOperations({
      authorizers: authorizerStore,
      ask: (authorizer, presented) => authorizers.ask(authorizer, presented, uuid()),
      domains,
    }),
    ...iotDataOperations({
      ...place,
      publish: exchange.publishToDevices,
      disconnect: exchange.disconnect,
    }),
    ...controlOperations({ refusals }),
    ...lambdaOperations(lambda),
    ...snsOperations({ topics, publish, ...place }),
  ];
}

/** DescribeEndpoint tells a host without a port: the gateway's ports are AWS's own unless they were moved. */
const endpointOf = (endpointType: string): string | undefined =>
  endpointType === 'iot:Data-ATS' ? 'localhost' : undefined;
