import type { SqlService, SqlValue } from '../core/sql/index.ts';
import { WideNumber } from '../core/sql/index.ts';
import { iotMayInvoke } from './lambda-permission.ts';
import type { LambdaSink, RuleSinks, ServiceCall } from './rule-actions/action.ts';
import { plainItem } from './rule-actions/attribute-value.ts';

/** What functions of SQL that call a service run on. */
export interface ServiceWorld {
  readonly rule: { readonly name: string; readonly arn: string };
  readonly accountId: string;
  readonly sinks: RuleSinks;
  /** @throws {Error} when the laptop does not have the target */
  readonly service: (target: string) => ServiceCall;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export type RuleServices = Readonly<Record<string, SqlService>>;

const LAMBDA_MS = 2_000;
const ITEM_BYTES = 8 * 1024;
const DESCRIPTOR_BYTES = 32 * 1024;
const DESCRIPTOR_KEPT_MS = 15 * 60_000;

/**
 * The functions of SQL that the laptop has the service for, acting for one rule. Each fails with an error that says
 * what was wrong; the rule is abandoned then, unless it asked get_or_default.
 *
 * @see IoT Core Developer Guide, SQL functions
 */
export function createRuleServices(world: ServiceWorld): RuleServices {
  const { lambda, objects } = world.sinks;
  return {
    ...(lambda?.invoke && { aws_lambda: callLambda(world, lambda, lambda.invoke) }),
    ...available('get_dynamodb', () => readItem(world)),
    ...available('get_registry_data', () => readRegistry(world)),
    ...(objects?.get && { decode_proto: readDescriptor(world, objects.get) }),
  };
}

/** A service that the laptop does not have leaves its function out, so that rules which call it are refused. */
function available(name: string, make: () => SqlService): RuleServices {
  try {
    return { [name]: make() };
  } catch {
    return {};
  }
}

function callLambda(
  { rule, accountId, sleep }: ServiceWorld,
  { permissions }: LambdaSink,
  invoke: NonNullable<LambdaSink['invoke']>,
): SqlService {
  const late = async (functionArn: string): Promise<never> => {
    await sleep(LAMBDA_MS);
    throw new Error(`${functionArn} did not answer within ${LAMBDA_MS} ms`);
  };
  return async ([functionArn, event]) => {
    const arn = text(functionArn, 'the ARN of a function');
    if (!iotMayInvoke(permissions, { functionArn: arn, sourceArn: rule.arn, accountId })) {
      throw new Error(`no AWS::Lambda::Permission of ${arn} allows it for ${rule.arn}`);
    }
    if (event === undefined) throw new Error(`the event for ${arn} is Undefined`);
    const { ok, payload } = await Promise.race([invoke(arn, event), late(arn)]);
    if (ok) return payload;
    throw new Error(`${arn} failed: ${JSON.stringify(payload)}`);
  };
}

function readItem({ service }: ServiceWorld): SqlService {
  const getItem = service('DynamoDB_20120810.GetItem');
  return async (args) => {
    const [table, ...rest] = args;
    const roleArn = text(rest.pop(), 'the ARN of a role');
    const TableName = text(table, 'the name of a table');
    const Key: Record<string, unknown> = {};
    for (let at = 0; at < rest.length; at += 2) {
      Key[text(rest[at], 'the name of a key')] = keyValue(rest[at + 1]);
    }
    const { Item } = Object(await getItem(roleArn, { TableName, Key }));
    if (Item === undefined) return undefined;
    const bytes = Buffer.byteLength(JSON.stringify(Item));
    if (bytes <= ITEM_BYTES) return plainItem(Object(Item));
    throw new Error(`the item of ${TableName} has ${bytes} bytes; a rule reads ${ITEM_BYTES}`);
  };
}

function keyValue(value: SqlValue | undefined): Record<string, string> {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number' || value instanceof WideNumber) return { N: String(value) };
  throw new Error('the value of a key is text or a number');
}

const REGISTRY_CALLS = {
  DescribeThing: 'iot GET /things/{thingName}',
  ListThingGroupsForThing: 'iot GET /things/{thingName}/thing-groups',
} as const;

function readRegistry({ service }: ServiceWorld): SqlService {
  const calls = new Map<string, ServiceCall>(
    Object.entries(REGISTRY_CALLS).map(([name, target]) => [name, service(target)]),
  );
  return async ([name, thing, roleArn]) => {
    const call = calls.get(text(name, 'the name of a call'));
    const thingName = text(thing, 'the name of a thing');
    return call?.(text(roleArn, 'the ARN of a role'), { thingName });
  };
}

function readDescriptor(
  { rule, sinks, now }: ServiceWorld,
  get: (bucket: string, key: string) => Promise<Uint8Array>,
): SqlService {
  const kept = new Map<string, { readonly bytes: Uint8Array; readonly untilMs: number }>();
  return async ([bucket, key]) => {
    const [from, name] = [text(bucket, 'the name of a bucket'), text(key, 'the key of an object')];
    const resource = `arn:aws:s3:::${from}/${name}`;
    const known = kept.get(resource);
    if (known !== undefined && now() < known.untilMs) return known.bytes;
    const allowed = sinks.authorizeIot?.({ action: 's3:GetObject', resource }, rule.arn).allowed;
    if (!allowed) {
      throw new Error(
        `no AWS::S3::BucketPolicy of ${from} allows s3:GetObject on ${resource} for iot.amazonaws.com`,
      );
    }
    const bytes = await get(from, name);
    if (bytes.length > DESCRIPTOR_BYTES) {
      throw new Error(
        `the descriptor ${name} has ${bytes.length} bytes; at most ${DESCRIPTOR_BYTES} are read`,
      );
    }
    kept.set(resource, { bytes, untilMs: now() + DESCRIPTOR_KEPT_MS });
    return bytes;
  };
}

function text(value: SqlValue | undefined, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${what} was expected, as text`);
}
