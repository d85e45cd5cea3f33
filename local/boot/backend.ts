import { dynamoDbOperations } from '../operations/dynamodb/index.ts';
import { kinesisOperations } from '../operations/kinesis/index.ts';
import { kmsOperations } from '../operations/kms/index.ts';
import type { Caller, Need, Operation } from '../operations/operation.ts';
import { sqsOperations } from '../operations/sqs/index.ts';
import { stsOperations } from '../operations/sts/index.ts';
import { type AwsEndpoint, createAwsEndpoint } from '../servers/aws-endpoint.ts';
import type { Faults } from '../servers/aws-faults.ts';
import type { Verdict } from './roles.ts';
import { openStores, type StoreOptions, type Stores } from './stores.ts';

export interface BackendOptions extends StoreOptions {
  readonly port: number;
  readonly callerOf: (accessKeyId: string) => Caller;
  readonly authorize: (caller: Caller, need: Need) => Verdict;
  /** APIs beside those of the stores. */
  readonly operations: readonly Operation[];
  readonly faults?: Faults;
}

/** The stores of the laptop behind their AWS APIs, at one address. */
export interface Backend extends Stores {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The APIs behind it, for calls from inside the laptop. */
  readonly operations: readonly Operation[];
}

export async function openBackend(options: BackendOptions): Promise<Backend> {
  const { accountId, region, now, log, callerOf, authorize, faults, port } = options;
  const stores = await openStores(options);
  const place = { accountId, region };
  let url = '';
  const operations = [
    ...kinesisOperations({ streams: stores.streams, ...place, now }),
    ...sqsOperations({ queues: stores.queues, keys: stores.keys, ...place, endpoint: () => url }),
    ...kmsOperations({ keys: stores.keys, ...place }),
    ...dynamoDbOperations({ tables: stores.tables, ...place }),
    ...stsOperations(),
    ...options.operations,
  ];
  const endpoint: AwsEndpoint = createAwsEndpoint({
    operations,
    callerOf,
    authorize,
    now,
    log,
    ...(faults && { faults }),
  });
  try {
    url = await endpoint.listen(port);
  } catch (error) {
    await stores.close();
    throw error;
  }
  return {
    ...stores,
    url,
    operations,
    close: async () => {
      await endpoint.close();
      await stores.close();
    },
  };
}
