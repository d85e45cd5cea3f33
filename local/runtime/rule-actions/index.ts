import * as z from 'zod';
import type { ActionKind, ActionTools, RuleAction } from './action.ts';
import { cloudwatchLogs } from './cloudwatch-logs.ts';
import { dynamoDbV2 } from './dynamodb-v2.ts';
import { firehose } from './firehose.ts';
import { http } from './http.ts';
import { kinesis } from './kinesis.ts';
import { lambda } from './lambda.ts';
import { republish } from './republish.ts';
import { s3 } from './s3.ts';
import { sns } from './sns.ts';
import { sqs } from './sqs.ts';

type Build = (declaration: unknown, tools: ActionTools) => RuleAction;

/** By their names in `AWS::IoT::TopicRule`. */
const KINDS: Readonly<Record<string, Build>> = {
  CloudwatchLogs: buildWith(cloudwatchLogs),
  DynamoDBv2: buildWith(dynamoDbV2),
  Firehose: buildWith(firehose),
  Http: buildWith(http),
  Kinesis: buildWith(kinesis),
  Lambda: buildWith(lambda),
  Republish: buildWith(republish),
  S3: buildWith(s3),
  Sns: buildWith(sns),
  Sqs: buildWith(sqs),
};

/**
 * The action that a rule declares.
 *
 * @param declaration  as in `AWS::IoT::TopicRule`: an object with one member, the kind of action
 * @throws {Error} naming what is malformed, or what the laptop lacks
 */
export function createAction(declaration: unknown, tools: ActionTools): RuleAction {
  const [[kind, parameters] = [], ...others] = Object.entries(
    z.record(z.string(), z.unknown()).parse(declaration),
  );
  if (kind === undefined || others.length > 0) {
    throw new Error('an action has one member, which names its kind');
  }
  const build = KINDS[kind];
  if (build === undefined) throw new Error(`${kind}: the laptop does not have this action`);
  try {
    return build(parameters, tools);
  } catch (error) {
    throw new Error(`${kind}: ${messageOf(error)}`, { cause: error });
  }
}

function buildWith<Declaration>({ declaration, create }: ActionKind<Declaration>): Build {
  return (declared, tools) => create(declaration.parse(declared), tools);
}

/** One line, whatever was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
