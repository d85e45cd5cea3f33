import type { Log } from '../core/log.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import {
  createQueueMapping,
  createStreamMapping,
  declaredMapping,
  type Mapping,
} from '../runtime/event-source-mapping.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import type { Authorize } from '../runtime/lambda-authorize.ts';
import type { Clock } from '../runtime/lambda-clock.ts';
import { collectProblems, ofType } from './resources.ts';
import type { Stores } from './stores.ts';

export interface MappingOptions {
  readonly stores: Stores;
  readonly lambda: LambdaRuntime;
  readonly authorize: Authorize;
  /** Puts a record on the queue or function of that ARN. */
  readonly deliver: (destinationArn: string, record: object) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
}

/**
 * The template's event source mappings, not started yet.
 * @throws {BootError} naming what is wrong or not supported
 */
export function createMappings(stack: ResolvedStack, options: MappingOptions): Mapping[] {
  const { stores, lambda, authorize, deliver, clock, random, uuid, log } = options;
  const common = { ...clock, authorize, random, uuid, log, invoke: lambda.invoke };
  return ofType(stack, 'AWS::Lambda::EventSourceMapping').map((resource) =>
    collectProblems(() => {
      const spec = declaredMapping(resource, lambda.find);
      if (spec.kind === 'stream') {
        return createStreamMapping(spec, {
          ...common,
          streams: stores.streams,
          sendFailure: deliver,
        });
      }
      const keyArn = keyArnOf(stores, spec.queueName);
      return createQueueMapping(spec, {
        ...common,
        queues: stores.queues,
        ...(keyArn !== undefined && { keyArn }),
      });
    }),
  );
}

function keyArnOf({ queues, keys }: Stores, queueName: string): string | undefined {
  const key = queues.attributes(queueName)['KmsMasterKeyId'] ?? '';
  return key === '' ? undefined : keys.resolve(key).arn;
}
