import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { LogEntry } from '../../../../local/core/log.ts';
import { kinesisOperations } from '../../../../local/operations/kinesis/index.ts';
import { stsOperations } from '../../../../local/operations/sts/index.ts';
import {
  type AwsEndpointOptions,
  createAwsEndpoint,
} from '../../../../local/servers/aws-endpoint.ts';
import {
  createStreamStore,
  type StreamStoreOptions,
} from '../../../../local/stores/stream-store.ts';

export interface World {
  readonly options?: Partial<AwsEndpointOptions>;
  readonly store?: Partial<StreamStoreOptions>;
}

/** A Kinesis at a real endpoint, with a clock of its own and clients of both versions of HTTP. */
export async function startKinesis({ options = {}, store = {} }: World = {}) {
  const clock = { nowMs: 1_700_000_000_000 };
  const now = () => clock.nowMs;
  const entries: LogEntry[] = [];
  const streams = createStreamStore({ now, ...store });
  const deps = { streams, accountId: '000000000000', region: 'eu-central-1', now };
  const endpoint = createAwsEndpoint({
    operations: [...kinesisOperations(deps), ...stsOperations()],
    callerOf: () => ({ kind: 'operator' }),
    authorize: () => ({ allowed: true, explanation: 'everyone may' }),
    now,
    log: (entry) => entries.push(entry),
    ...options,
  });
  const url = await endpoint.listen(0);
  const clients: KinesisClient[] = [];

  return {
    clock,
    entries,
    streams,
    url,
    endpoint,
    /** HTTP/2, as the client does by default. */
    http2Client: (accessKeyId = 'operator') => keep(clientOf(url, accessKeyId)),
    http1Client: (accessKeyId = 'operator') =>
      keep(clientOf(url, accessKeyId, { requestHandler: new NodeHttpHandler() })),
    async stop() {
      for (const client of clients) client.destroy();
      await endpoint.close();
      await streams.close();
    },
  };

  function keep(client: KinesisClient): KinesisClient {
    clients.push(client);
    return client;
  }
}

const clientOf = (
  endpoint: string,
  accessKeyId: string,
  more: { requestHandler?: NodeHttpHandler } = {},
) =>
  new KinesisClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId, secretAccessKey: 'secret' },
    maxAttempts: 1,
    ...more,
  });
