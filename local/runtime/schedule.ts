import * as z from 'zod';
import { parseSchedule, type Schedule } from '../core/events/schedule.ts';
import type { Log } from '../core/log.ts';
import type { ResolvedResource } from '../core/template/index.ts';
import { serviceOf } from './lambda-authorize.ts';
import type { Clock } from './lambda-clock.ts';

export interface ScheduledTarget {
  readonly functionArn: string;
  /** What the function gets in place of the event. */
  readonly input?: unknown;
}

export interface ScheduledRule {
  readonly arn: string;
  readonly expression: string;
  readonly enabled: boolean;
  readonly targets: readonly ScheduledTarget[];
}

export interface SchedulerDeps extends Clock {
  /** Hands the event to Lambda's queue of asynchronous invocations. */
  readonly invokeAsync: (functionArn: string, event: unknown) => unknown;
  readonly uuid: () => string;
  readonly log: Log;
}

export interface Scheduler {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
}

const Target = z.strictObject({
  Id: z.string(),
  Arn: z
    .string()
    .refine((arn) => serviceOf(arn) === 'lambda', 'only functions are invoked on schedule'),
  Input: z.string().optional(),
});

const Properties = z.strictObject({
  Name: z.string().optional(),
  Description: z.unknown().optional(),
  ScheduleExpression: z.string(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z.array(Target).max(5).default([]),
  EventBusName: z.literal('default').optional(),
  Tags: z.unknown().optional(),
});

/**
 * Reads an `AWS::Events::Rule` with a schedule.
 *
 * @throws {Error} naming the resource and what is wrong or not supported (`InputTransformer`, other targets …)
 */
export function declaredSchedule({
  logicalId,
  arn = '',
  properties,
}: ResolvedResource): ScheduledRule {
  const parsed = Properties.safeParse(properties);
  if (!parsed.success) throw new Error(`Resources.${logicalId}: ${z.prettifyError(parsed.error)}`);
  const { ScheduleExpression: expression, State, Targets } = parsed.data;
  try {
    parseSchedule(expression, 0);
  } catch (error) {
    throw new Error(`Resources.${logicalId}: ${error instanceof Error ? error.message : error}`);
  }
  const targets = Targets.map(({ Id, Arn, Input }) => ({
    functionArn: Arn,
    ...(Input !== undefined && {
      input: parseInput(Input, `Resources.${logicalId}: target ${Id}`),
    }),
  }));
  return { arn, expression, enabled: State === 'ENABLED', targets };
}

function parseInput(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error(`${where}: its Input is no JSON`);
  }
}

/**
 * Fires the scheduled rules as EventBridge does, from when it is started; what was due while the
 * laptop was off, or asleep, is not made up for.
 *
 * @see EventBridge User Guide, "Creating an Amazon EventBridge rule that runs on a schedule"
 */
export function createScheduler(rules: readonly ScheduledRule[], deps: SchedulerDeps): Scheduler {
  let stop = new AbortController();
  let running: Promise<unknown> = Promise.resolve();

  const keep = async (
    rule: ScheduledRule,
    schedule: Schedule,
    signal: AbortSignal,
  ): Promise<void> => {
    for (let atMs = schedule.next(deps.now()); atMs !== undefined; ) {
      await waitUntil(atMs, deps, signal);
      if (signal.aborted) return;
      fire(rule, atMs);
      atMs = schedule.next(Math.max(atMs, deps.now()));
    }
  };

  const fire = (rule: ScheduledRule, atMs: number): void => {
    const event = scheduledEvent(rule.arn, atMs, deps.uuid());
    for (const { functionArn, input } of rule.targets) {
      try {
        deps.invokeAsync(functionArn, input === undefined ? event : input);
      } catch (error) {
        const message = `the schedule could not invoke ${functionArn}: ${String(error)}`;
        deps.log({ level: 'error', source: 'schedule', message, rule: rule.arn });
      }
    }
  };

  return {
    start() {
      stop = new AbortController();
      const { signal } = stop;
      const enabled = rules.filter((rule) => rule.enabled);
      running = Promise.all(
        enabled.map((rule) => keep(rule, parseSchedule(rule.expression, deps.now()), signal)),
      );
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}

/** Node's timers take 24 days at most, and drift: long waits go in steps of an hour. */
const LONGEST_SLEEP_MS = 3_600_000;

async function waitUntil(atMs: number, { now, sleep }: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && now() < atMs) {
    await sleep(Math.min(atMs - now(), LONGEST_SLEEP_MS), signal);
  }
}

/** `arn:aws:events:<region>:<account>:rule/<name>` */
function scheduledEvent(ruleArn: string, atMs: number, id: string): object {
  const [, , , region, account] = ruleArn.split(':');
  return {
    version: '0',
    id,
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account,
    time: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
    region,
    resources: [ruleArn],
    detail: {},
  };
}
