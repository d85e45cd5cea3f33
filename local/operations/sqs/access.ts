import * as z from 'zod';
import type { Key, KeyStore } from '../../stores/key-store.ts';
import { sqsError } from '../../stores/queue/error.ts';
import type { QueueStore } from '../../stores/queue-store.ts';
import { AwsError, type Need, type Operation, operation } from '../operation.ts';

/** What SQS's operations work on. */
export interface SqsDeps {
  readonly queues: QueueStore;
  readonly keys: KeyStore;
  readonly accountId: string;
  readonly region: string;
  /** Base of queue URLs, known once the server listens: `http://127.0.0.1:4566`. */
  readonly endpoint: () => string;
}

/** One of SQS's operations, with the error codes that all of them share. */
export const sqsOperation = <Input>({
  name,
  ...definition
}: Omit<Operation<Input>, 'route'> & { readonly name: string }): Operation =>
  operation({
    ...definition,
    route: { target: `AmazonSQS.${name}` },
    invalidInputCode: 'InvalidParameterValue',
    denialCode: ({ action }) =>
      action.startsWith('kms:') ? 'KmsAccessDenied' : 'AccessDeniedException',
  });

export const QueueUrl = z.string();

export const queueUrl = ({ endpoint, accountId }: SqsDeps, name: string): string =>
  `${endpoint()}/${accountId}/${name}`;

export const queueArn = ({ region, accountId }: SqsDeps, name: string): string =>
  `arn:aws:sqs:${region}:${accountId}:${name}`;

/** @throws {AwsError} `InvalidAddress` where the URL does not end in account and queue name */
export function queueNameOf(url: string): string {
  const name = /^https?:\/\/[^/]+\/\d{12}\/([^/?#]+)$/.exec(url)?.[1];
  if (name !== undefined) return name;
  throw sqsError(
    'InvalidAddress',
    `The address ${url} is not valid for this endpoint: a queue URL ends in /<account>/<name>.`,
    404,
  );
}

export const queueNeed = (deps: SqsDeps, action: string, url: string): Need => ({
  action: `sqs:${action}`,
  resource: queueArn(deps, queueNameOf(url)),
});

/** An encrypted queue makes a data key for what it takes, and may find a used one to open. */
export const sendNeeds = (deps: SqsDeps, url: string): Need[] => [
  queueNeed(deps, 'SendMessage', url),
  ...keyNeeds(deps, url, ['kms:GenerateDataKey', 'kms:Decrypt']),
];

export const receiveNeeds = (deps: SqsDeps, url: string): Need[] => [
  queueNeed(deps, 'ReceiveMessage', url),
  ...keyNeeds(deps, url, ['kms:Decrypt']),
];

function keyNeeds(deps: SqsDeps, url: string, actions: readonly string[]): Need[] {
  const name = queueNameOf(url);
  const keyArn = keyArnOf(deps, name);
  if (keyArn === undefined) return [];
  const context = {
    'kms:ViaService': `sqs.${deps.region}.amazonaws.com`,
    'kms:EncryptionContext:aws:sqs:arn': queueArn(deps, name),
  };
  return actions.map((action) => ({ action, resource: keyArn, context }));
}

/** @throws {AwsError} SQS's own codes for a key that is of no use */
function keyArnOf({ queues, keys }: SqsDeps, name: string): string | undefined {
  const reference = queues.list().find((queue) => queue.name === name)?.attributes[
    'KmsMasterKeyId'
  ];
  if (reference === undefined || reference === '' || reference.endsWith('alias/aws/sqs')) {
    return undefined;
  }
  const key = findKey(keys, reference);
  if (key.state === 'Enabled') return key.arn;
  if (key.state === 'Disabled') throw sqsError('KmsDisabled', `${key.arn} is disabled.`);
  throw sqsError('KmsInvalidState', `${key.arn} is pending deletion.`);
}

function findKey(keys: KeyStore, reference: string): Key {
  try {
    return keys.resolve(reference);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw sqsError('KmsNotFound', error.message);
  }
}
