import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTClient } from '@aws-sdk/client-iot';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { dynamoDbOperations } from '../../local/operations/dynamodb/index.ts';
import { iotOperations } from '../../local/operations/iot/index.ts';
import { kmsOperations } from '../../local/operations/kms/index.ts';
import { type DevelopmentPki, openPki, parseCertificate } from '../../local/pki/index.ts';
import {
  type Credential,
  createAuthority,
  issueClient,
  type NameParts,
} from '../../local/pki/issue.ts';
import { createKeyStore } from '../../local/stores/key-store.ts';
import { createRegistry } from '../../local/stores/registry.ts';
import { createTableStore } from '../../local/stores/table-store.ts';
import { createLog } from '../../shared/lambda/log.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../local/operations/endpoint.ts';
import { patientTools } from './retry-tools.ts';

/** 2026-09-21T14:13:20Z */
export const NOW_MS = 1_790_000_000_000;
export const DAY_MS = 86_400_000;
export const TABLE = 'tributary-dev-credentials';
export const INCIDENTS = 'tributary-dev-incidents';
export const POLICY = 'tributary-dev-device';
/** Its content decides nothing here. */
const ANY_POLICY =
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}}';
const PEPPER_ALIAS = 'alias/tributary-dev-pepper';

/** What the table and the pepper are encrypted under. */
export const KEYS = {
  data: `arn:aws:kms:${REGION}:${ACCOUNT}:key/data`,
  pepper: `arn:aws:kms:${REGION}:${ACCOUNT}:key/pepper`,
} as const;

export interface Authorities {
  readonly pki: DevelopmentPki;
  /** Two that a fleet owner might have. */
  readonly ours: Credential;
  readonly theirs: Credential;
  readonly remove: () => Promise<void>;
}

/** Authorities take a while to make; tests share them, as nothing changes them. */
async function sharedAuthorities(): Promise<Authorities> {
  const directory = await mkdtemp(join(tmpdir(), 'access-'));
  const validity = { notBeforeMs: NOW_MS - DAY_MS, notAfterMs: NOW_MS + 3_650 * DAY_MS };
  const [pki, ours, theirs] = await Promise.all([
    openPki({ directory, now: () => NOW_MS }),
    createAuthority([['CN', 'Fleet CA']], validity),
    createAuthority([['CN', 'Another CA']], validity),
  ]);
  return { pki, ours, theirs, remove: () => rm(directory, { recursive: true }) };
}

export const idOf = (certificatePem: string): string =>
  parseCertificate(certificatePem).certificateId;

/**
 * Registry, table and keys of a stage behind the laptop's own AWS endpoint, with the SDK's clients of a function. What
 * a function had to be granted is in `needs`.
 */
export async function openAccessWorld({ pki, ours, theirs }: Authorities) {
  const clock = { ms: NOW_MS };
  const now = () => clock.ms;
  const registry = createRegistry({ now, accountId: ACCOUNT, region: REGION });
  const tables = await createTableStore({ accountId: ACCOUNT, region: REGION });
  for (const TableName of [TABLE, INCIDENTS]) {
    await tables.create({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: KEYS.data },
    });
  }
  const keys = createKeyStore({ now });
  const keyArn = `arn:aws:kms:${REGION}:${ACCOUNT}:`;
  keys.create({ keyId: 'pepper', arn: KEYS.pepper });
  keys.createAlias({ name: PEPPER_ALIAS, arn: `${keyArn}${PEPPER_ALIAS}`, keyId: 'pepper' });
  const server = await serve([
    ...dynamoDbOperations({ tables, accountId: ACCOUNT, region: REGION }),
    ...iotOperations({ registry, pki, accountId: ACCOUNT }),
    ...kmsOperations({ keys, accountId: ACCOUNT }),
  ]);
  const options = clientOf(server.url, FUNCTION_KEY);
  const clients = {
    db: new DynamoDBClient(options),
    iot: new IoTClient(options),
    kms: new KMSClient(options),
  };

  registry.createPolicy(POLICY, ANY_POLICY);
  for (const { certificatePem } of [ours, theirs]) {
    registry.addAuthority({
      reading: parseCertificate(certificatePem),
      active: true,
      autoRegistration: true,
      certificateMode: 'DEFAULT',
    });
  }
  const lines: string[] = [];

  return {
    ...clients,
    registry,
    keys,
    clock,
    now,
    tools: patientTools(),
    log: createLog('debug', (line) => lines.push(line), now),
    lines,
    /** Entries of the log, oldest first. */
    entries: () => lines.map((line): Record<string, unknown> => JSON.parse(line)),
    needs: server.needs,
    keyId: PEPPER_ALIAS,
    /** A certificate that an authority signed and AWS IoT has met: what it is, and the announcement of it. */
    async meet(
      authority: Credential,
      subject: NameParts,
      { status = 'PENDING_ACTIVATION' as const, days = 90, fromMs = NOW_MS - DAY_MS } = {},
    ) {
      const validity = { notBeforeMs: fromMs, notAfterMs: fromMs + days * DAY_MS };
      const { certificatePem } = await issueClient(authority, subject, validity);
      const reading = parseCertificate(certificatePem);
      const caCertificateId = idOf(authority.certificatePem);
      registry.addCertificate({ reading, status, caCertificateId });
      return {
        id: reading.certificateId,
        pem: certificatePem,
        announcement: {
          certificateId: reading.certificateId,
          caCertificateId,
          awsAccountId: ACCOUNT,
        },
      };
    },
    /** A device as an operator registers it: active, with thing and policy. */
    async addDevice(thing: string, fleet: string, days = 90) {
      const { certificateId, certificatePem, notAfterMs } = await pki.issueDevice({
        thing,
        fleet,
        days,
      });
      if (registry.thing(thing) === undefined) {
        registry.createThing({ thingName: thing, attributes: { fleet } });
      }
      registry.addCertificate({ reading: parseCertificate(certificatePem), status: 'ACTIVE' });
      registry.attachThingPrincipal(thing, registry.arn.certificate(certificateId));
      registry.attachPolicy(POLICY, registry.arn.certificate(certificateId));
      return { id: certificateId, pem: certificatePem, notAfterMs };
    },
    async close(): Promise<void> {
      for (const client of Object.values(clients)) client.destroy();
      await server.close();
      await tables.close();
    },
  };
}

export type AccessWorld = Awaited<ReturnType<typeof openAccessWorld>>;

/** Bodies as an event of a queue, as Lambda hands it over. */
export const queueEvent = (queue: string, bodies: readonly (object | string)[]) => ({
  Records: bodies.map((body, at) => ({
    messageId: `message-${at}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${REGION}:${ACCOUNT}:tributary-dev-${queue}`,
    awsRegion: REGION,
  })),
});

export const aMinute = { getRemainingTimeInMillis: () => 60_000 };

/** A fresh world for each test of a file, with authorities that all of them share. */
export function eachAccessWorld(): {
  readonly authorities: Authorities;
  readonly world: AccessWorld;
} {
  let shared: Authorities | undefined;
  let world: AccessWorld | undefined;
  const there = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Error('There is a world in tests only');
    return value;
  };
  beforeAll(async () => {
    shared = await sharedAuthorities();
  });
  afterAll(() => shared?.remove());
  beforeEach(async () => {
    world = await openAccessWorld(there(shared));
  });
  afterEach(() => world?.close());
  return {
    get authorities() {
      return there(shared);
    },
    get world() {
      return there(world);
    },
  };
}
