import type { ResolvedStack } from '../core/template/index.ts';
import type { Mapping } from '../runtime/event-source-mapping.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import type { RulesEngine } from '../runtime/rules-engine.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import type { TopicStore } from '../stores/topic-store.ts';
import { openBuckets, openDeliveries } from './archives.ts';
import type { Backend } from './backend.ts';
import type { Exchange } from './exchange.ts';
import { createMappings } from './mappings.ts';
import type { ResourcePolicies } from './resource-policies.ts';
import type { Roles } from './roles.ts';
import { openSinks } from './rule-sinks.ts';
import { openRules } from './rules.ts';
import { keepSweeping, openSchedules } from './schedules.ts';
import type { World } from './world.ts';

export interface FlowOptions {
  readonly backend: Backend;
  readonly lambda: LambdaRuntime;
  readonly topics: TopicStore;
  readonly publish: Publish;
  readonly policies: ResourcePolicies;
  readonly roles: Roles;
  readonly exchange: Exchange;
}

/** What moves messages on: topic rules, event sources, delivery streams, schedules. */
export interface Flow {
  readonly rules: RulesEngine;
  /** Where buckets are, a folder each. */
  readonly objectsDirectory: string;
  /** Event sources and schedules begin to work. */
  readonly start: () => void;
  /** Resolves once neither an event source nor an asynchronous invocation has anything left to do. */
  readonly idle: () => Promise<void>;
}

/**
 * @param opened  takes what is to be closed again
 * @throws {BootError} naming what is wrong or not supported
 */
export function openFlow(
  stack: ResolvedStack,
  world: World,
  options: FlowOptions,
  opened: AsyncDisposableStack,
): Flow {
  const { backend, lambda, roles, exchange } = options;
  const { clock, uuid, log } = world;
  const buckets = openBuckets(stack, world.directory);
  opened.defer(buckets.close);
  const { streams } = backend;
  const deliveries = openDeliveries(stack, { ...world, objects: buckets, streams, roles });
  const sources = createMappings(stack, {
    ...world,
    stores: backend,
    lambda,
    authorize: roles.authorize,
    deliver: (arn, record) => exchange.deliver(arn, JSON.stringify(record)),
  });
  const mappings = [...sources, ...deliveries.sources];
  const { operations } = backend;
  const deliver = exchange.publishToDevices;
  const sinks = openSinks(stack, {
    ...world,
    ...options,
    operations,
    deliver,
    buckets,
    deliveries,
  });
  const rules = openRules(stack, { sinks, roles, env: { ...world, sleep: clock.sleep }, log });
  const schedules = openSchedules(stack, { ...clock, invokeAsync: lambda.invokeAsync, uuid, log });
  opened.defer(keepSweeping(backend.tables.sweep, { ...clock, log }));
  opened.defer(async () => {
    await Promise.all([schedules.stop(), ...mappings.map((mapping) => mapping.stop())]);
  });
  return {
    rules,
    objectsDirectory: buckets.directory,
    start: () => {
      for (const mapping of mappings) mapping.start();
      schedules.start();
    },
    idle: () => settled(mappings, lambda),
  };
}

async function settled(mappings: readonly Mapping[], lambda: LambdaRuntime): Promise<void> {
  // a function may write what the next mapping reads: done only when a whole round found nothing to do
  for (let round = 0; round <= mappings.length; round += 1) {
    await lambda.idle();
    for (const mapping of mappings) await mapping.idle();
  }
}
