import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { openCodecDesk } from '../../commands/codec-desk.ts';
import { dynamoDbOperations } from '../../local/operations/dynamodb/index.ts';
import { kmsOperations } from '../../local/operations/kms/index.ts';
import { createKeyStore } from '../../local/stores/key-store.ts';
import { createTableStore } from '../../local/stores/table-store.ts';
import { codecTable } from '../../shared/adapters/lorawan/codec-table.ts';
import { payloadKeys } from '../../shared/adapters/lorawan/payload-keys.ts';
import { sessionTable } from '../../shared/adapters/lorawan/session-table.ts';
import { ACCOUNT, clientOf, REGION, serve } from '../local/operations/endpoint.ts';
import { patientTools } from './retry-tools.ts';
import { RECEIVED_AT_MS } from './uplinks.ts';

const ALIAS = 'alias/tributary-dev-payload';

/** Tables and keys of a stage behind the laptop's own AWS endpoint, seen from the desk and from `decode`. */
export async function openCodecWorld() {
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  for (const name of ['codecs', 'sessions']) {
    await tables.create({
      TableName: `tributary-dev-${name}`,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    });
  }
  const clock = { ms: RECEIVED_AT_MS };
  const now = () => clock.ms;
  const keys = createKeyStore({ now });
  keys.create({ keyId: 'payload', arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/payload` });
  keys.createAlias({
    name: ALIAS,
    arn: `arn:aws:kms:${REGION}:${ACCOUNT}:${ALIAS}`,
    keyId: 'payload',
  });
  const server = await serve([
    ...dynamoDbOperations({ tables, accountId: ACCOUNT, region: REGION }),
    ...kmsOperations({ keys, accountId: ACCOUNT }),
  ]);
  const options = clientOf(server.url);
  const [db, kms] = [new DynamoDBClient(options), new KMSClient(options)];
  const tools = patientTools();
  const codecs = codecTable(db, 'tributary-dev-codecs', tools);
  return {
    clock,
    db,
    kms,
    codecs,
    desk: openCodecDesk(db, 'dev', now),
    sessions: () => sessionTable(db, 'tributary-dev-sessions', tools, now),
    keys: () => payloadKeys(kms, codecs, 'tributary-dev', tools, now),
    async close(): Promise<void> {
      db.destroy();
      kms.destroy();
      await server.close();
      await tables.close();
    },
  };
}

export type CodecWorld = Awaited<ReturnType<typeof openCodecWorld>>;
