import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import {
  createScheduler,
  declaredSchedule,
  type Scheduler,
  type SchedulerDeps,
} from '../runtime/schedule.ts';
import { collectProblems, ofType } from './resources.ts';

/** The template's schedules. @throws {BootError} naming what is wrong or not supported */
export const openSchedules = (stack: ResolvedStack, deps: SchedulerDeps): Scheduler =>
  collectProblems(() => {
    const rules = ofType(stack, 'AWS::Events::Rule').filter((rule) => !waitsForEvents(rule));
    return createScheduler(rules.map(declaredSchedule), deps);
  });

/** Whether a rule has a pattern of events and no schedule. */
export const waitsForEvents = ({ properties }: ResolvedResource): boolean =>
  properties['EventPattern'] !== undefined && properties['ScheduleExpression'] === undefined;

const SWEEP_INTERVAL_MS = 60_000;

/** Deletes expired items each minute, where AWS takes up to a few days. @returns how to end it */
export function keepSweeping(
  sweep: (nowMs: number) => Promise<number>,
  { now, sleep, log }: Pick<SchedulerDeps, 'now' | 'sleep' | 'log'>,
): () => Promise<void> {
  const ending = new AbortController();
  const work = async () => {
    while (!ending.signal.aborted) {
      await sleep(SWEEP_INTERVAL_MS, ending.signal);
      if (!ending.signal.aborted) await sweep(now());
    }
  };
  const running = work().catch((error: unknown) => {
    log({
      level: 'error',
      source: 'tables',
      message: `expired items are no longer deleted: ${String(error)}`,
    });
  });
  return async () => {
    ending.abort();
    await running;
  };
}
