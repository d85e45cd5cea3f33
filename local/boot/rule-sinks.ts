import * as z from 'zod';
import type { Log } from '../core/log.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import { AwsError, type Operation } from '../operations/operation.ts';
import { publishNeeds } from '../operations/sns/index.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import type { RuleSinks } from '../runtime/rules-engine.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import type { TopicStore } from '../stores/topic-store.ts';
import type { Buckets, Deliveries } from './archives.ts';
import type { ResourcePolicies } from './resource-policies.ts';
import { ofType } from './resources.ts';

export interface SinkOptions {
  readonly operations: readonly Operation[];
  readonly lambda: LambdaRuntime;
  readonly deliver: NonNullable<RuleSinks['deliver']>;
  readonly buckets: Buckets;
  readonly deliveries: Deliveries;
  readonly topics: TopicStore;
  readonly publish: Publish;
  readonly policies: ResourcePolicies;
  readonly accountId: string;
  readonly region: string;
  readonly log: Log;
}

/** Where the actions of the template's rules lead, all that the laptop has. */
export function openSinks(stack: ResolvedStack, options: SinkOptions): RuleSinks {
  const { operations, lambda, deliver, buckets, deliveries, publish, policies, log } = options;
  const { accountId } = options;
  return {
    operations,
    deliver,
    lambda: {
      invokeAsync: lambda.invokeAsync,
      invoke: lambda.invoke,
      permissions: ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties),
    },
    objects: buckets,
    deliveryStreams: deliveries,
    topics: { needs: (topicArn) => publishNeeds(options, topicArn), publish },
    logEvents: logWriter(stack, log),
    post,
    authorizeIot: (need, ruleArn) =>
      policies.authorizeService('iot.amazonaws.com', need, { arn: ruleArn, accountId }),
  };
}

const LogGroup = z.object({ LogGroupName: z.string() });

/** What rules write to log groups appears in the laptop's own log. */
function logWriter(stack: ResolvedStack, log: Log): NonNullable<RuleSinks['logEvents']> {
  const known = new Set(
    ofType(stack, 'AWS::Logs::LogGroup').map(
      ({ name, properties }) => LogGroup.safeParse(properties).data?.LogGroupName ?? name,
    ),
  );
  return (logGroup, events) => {
    if (!known.has(logGroup)) {
      const message = `The specified log group does not exist: ${logGroup}.`;
      throw new AwsError('ResourceNotFoundException', message);
    }
    for (const { message, timestampMs } of events) {
      log({ level: 'info', source: 'logs', message, logGroup, timestampMs });
    }
  };
}

const POST_MS = 3_000;

/** A server that redirects is not followed: it could lead away from this machine. */
const post: NonNullable<RuleSinks['post']> = async (url, { headers, body }) => {
  const { status } = await fetch(url, {
    method: 'POST',
    headers,
    body: Buffer.from(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(POST_MS),
  });
  return { status };
};
