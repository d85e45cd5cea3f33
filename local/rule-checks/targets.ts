import * as z from 'zod';
import { keyArnOf, keyOfBucket } from '../boot/keys.ts';
import { ofType } from '../boot/resources.ts';
import { loadRoles, type Roles } from '../boot/roles.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import type { Need } from '../operations/operation.ts';
import { iotMayInvoke } from '../runtime/lambda-permission.ts';
import { messageOf } from '../runtime/rule-actions/index.ts';
import type { DeclaredAction, DeclaredRule, Finding } from './declared.ts';

/** What an action leads to, and what its role must grant for it. */
interface Kind {
  /** Type of the resource, and the parameter that names it. */
  readonly type: string;
  readonly parameter: string;
  /** What of the resource the parameter holds; its name unless told. */
  readonly by?: 'arn' | 'physicalId';
  readonly needs?: (resource: ResolvedResource, action: DeclaredAction) => readonly Need[];
}

const on =
  (...actions: string[]) =>
  ({ arn = '' }: ResolvedResource): Need[] =>
    actions.map((action) => ({ action, resource: arn }));

const Key = z.union([
  z
    .object({ StreamEncryption: z.object({ KeyId: z.string() }) })
    .transform(({ StreamEncryption }) => StreamEncryption.KeyId),
  z.object({ KmsMasterKeyId: z.string() }).transform(({ KmsMasterKeyId }) => KmsMasterKeyId),
  z
    .object({ SSESpecification: z.object({ KMSMasterKeyId: z.string() }) })
    .transform(({ SSESpecification }) => SSESpecification.KMSMasterKeyId),
]);

const KINDS: Readonly<Record<string, Kind>> = {
  CloudwatchLogs: {
    type: 'AWS::Logs::LogGroup',
    parameter: 'LogGroupName',
    needs: ({ arn = '' }) => {
      const group = arn.replace(/:\*$/, '');
      return ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'].map(
        (action) => ({ action, resource: `${group}:log-stream:rule` }),
      );
    },
  },
  DynamoDBv2: {
    type: 'AWS::DynamoDB::Table',
    parameter: 'PutItem.TableName',
    needs: on('dynamodb:PutItem'),
  },
  Firehose: {
    type: 'AWS::KinesisFirehose::DeliveryStream',
    parameter: 'DeliveryStreamName',
    needs: (stream, { parameters }) =>
      on(parameters['BatchMode'] === true ? 'firehose:PutRecordBatch' : 'firehose:PutRecord')(
        stream,
      ),
  },
  Kinesis: {
    type: 'AWS::Kinesis::Stream',
    parameter: 'StreamName',
    needs: on('kinesis:PutRecord'),
  },
  Lambda: { type: 'AWS::Lambda::Function', parameter: 'FunctionArn', by: 'arn' },
  S3: {
    type: 'AWS::S3::Bucket',
    parameter: 'BucketName',
    needs: ({ arn = '' }, { parameters }) => [
      { action: 's3:PutObject', resource: `${arn}/${filled(String(parameters['Key']))}` },
    ],
  },
  Sns: { type: 'AWS::SNS::Topic', parameter: 'TargetArn', by: 'arn', needs: on('sns:Publish') },
  Sqs: {
    type: 'AWS::SQS::Queue',
    parameter: 'QueueUrl',
    by: 'physicalId',
    needs: on('sqs:SendMessage'),
  },
};

/** What each kind asks of the key that its resource encrypts with. */
const KEY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  DynamoDBv2: ['kms:Decrypt'],
  Kinesis: ['kms:GenerateDataKey'],
  S3: ['kms:GenerateDataKey'],
  Sns: ['kms:GenerateDataKey', 'kms:Decrypt'],
  Sqs: ['kms:GenerateDataKey', 'kms:Decrypt'],
};

/** Any value will do where a grant is looked up: one that holds for some only is as good as none. */
const filled = (text: string): string => text.replace(/\$\{[^}]*\}/g, 'x');

/** Actions that lead nowhere in the template, or that their role does not allow. */
export function checkTargets(
  stack: ResolvedStack,
  rules: readonly DeclaredRule[],
  place: { readonly accountId: string; readonly region: string },
): Finding[] {
  const roles = readRoles(stack);
  if (typeof roles === 'string') return [{ code: 'role', where: 'roles', problem: roles }];
  return rules.flatMap((rule) =>
    rule.actions.flatMap((action): Finding[] => {
      if (action.kind === 'Republish') {
        const topic = filled(String(action.parameters['Topic'])).replace(/^\$\$aws\//, '$aws/');
        const resource = `arn:aws:iot:${place.region}:${place.accountId}:topic/${topic}`;
        return checkRole(stack, roles, action, [{ action: 'iot:Publish', resource }]);
      }
      const kind = KINDS[action.kind];
      return kind === undefined ? [] : checkTarget(stack, roles, rule, action, kind);
    }),
  );
}

function readRoles(stack: ResolvedStack): Roles | string {
  try {
    return loadRoles(stack);
  } catch (error) {
    return messageOf(error);
  }
}

function checkTarget(
  stack: ResolvedStack,
  roles: Roles,
  rule: DeclaredRule,
  action: DeclaredAction,
  { type, parameter, by = 'physicalId', needs }: Kind,
): Finding[] {
  const where = `${action.where}: ${action.kind}.${parameter}`;
  const wanted = valueAt(action.parameters, parameter);
  if (wanted.includes('${')) return [];
  const resource = ofType(stack, type).find(
    (one) => one[by] === wanted || (by === 'physicalId' && one.name === wanted && !isUrl(one)),
  );
  if (resource === undefined) {
    return [{ code: 'target', where, problem: `the template declares no ${type} ${wanted}` }];
  }
  if (needs === undefined) return checkPermission(stack, rule, resource, where);
  const keyArn =
    type === 'AWS::S3::Bucket'
      ? keyOfBucket(stack, resource)
      : keyArnOf(stack, Key.safeParse(resource.properties).data);
  const keyNeeds = (KEY_ACTIONS[action.kind] ?? []).flatMap((name) =>
    keyArn === undefined ? [] : [{ action: name, resource: keyArn }],
  );
  return checkRole(stack, roles, action, [...needs(resource, action), ...keyNeeds]);
}

const isUrl = ({ physicalId }: ResolvedResource): boolean => physicalId.startsWith('https:');

function valueAt(parameters: Readonly<Record<string, unknown>>, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>(
      (node, key) => (node instanceof Object ? Reflect.get(node, key) : undefined),
      parameters,
    );
  return String(value);
}

function checkPermission(
  stack: ResolvedStack,
  rule: DeclaredRule,
  { arn = '' }: ResolvedResource,
  where: string,
): Finding[] {
  const permissions = ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties);
  const accountId = arn.split(':')[4] ?? '';
  if (iotMayInvoke(permissions, { functionArn: arn, sourceArn: rule.arn, accountId })) return [];
  const problem = `no AWS::Lambda::Permission of ${arn} lets iot.amazonaws.com invoke it for ${rule.arn}`;
  return [{ code: 'role', where, problem }];
}

const Trust = z.object({
  AssumeRolePolicyDocument: z.object({
    Statement: z.array(
      z.object({
        Effect: z.string(),
        Principal: z.object({ Service: z.union([z.string(), z.array(z.string())]) }),
      }),
    ),
  }),
});

function checkRole(
  stack: ResolvedStack,
  roles: Roles,
  { where: place, kind, parameters }: DeclaredAction,
  needs: readonly Need[],
): Finding[] {
  const where = `${place}: ${kind}.RoleArn`;
  const roleArn = String(parameters['RoleArn']);
  const role = ofType(stack, 'AWS::IAM::Role').find(({ arn }) => arn === roleArn);
  if (role === undefined) {
    return [{ code: 'role', where, problem: `the template declares no role ${roleArn}` }];
  }
  const denied = needs.flatMap((need): Finding[] => {
    const { allowed, explanation } = roles.authorizeRole(roleArn, need);
    const problem = `does not grant ${need.action} on ${need.resource}: ${explanation}`;
    return allowed ? [] : [{ code: 'role', where, problem }];
  });
  const trusted = Trust.safeParse(role.properties).data?.AssumeRolePolicyDocument.Statement.some(
    ({ Effect, Principal }) =>
      Effect === 'Allow' && [Principal.Service].flat().includes('iot.amazonaws.com'),
  );
  if (trusted) return denied;
  return [...denied, { code: 'role', where, problem: 'does not trust iot.amazonaws.com' }];
}
