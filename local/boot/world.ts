import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Log } from '../core/log.ts';
import type { Timers } from '../core/mqtt/broker-state.ts';
import { type ResolvedStack, resolveTemplate } from '../core/template/index.ts';
import { type Clock, systemClock } from '../runtime/lambda-clock.ts';
import { BootError } from './resources.ts';

/** The account and partition that the laptop pretends to be. */
const ACCOUNT_ID = '000000000000';
const DEFAULT_REGION = 'eu-central-1';

/** What every piece of the laptop is given: where it is, what time it is, and by what chance. */
export interface World {
  readonly accountId: string;
  readonly region: string;
  /** Where state outlives the process; memory only without. */
  readonly directory?: string;
  readonly clock: Clock;
  readonly now: () => number;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly log: Log;
}

/** What a caller may choose of the world; the rest is the machine's. */
export interface WorldOptions extends Partial<Omit<World, 'accountId' | 'now' | 'log'>> {
  readonly log: Log;
}

export function createWorld(options: WorldOptions): World {
  const { log, directory, clock = systemClock, region = DEFAULT_REGION } = options;
  const { timers = systemTimers, random = Math.random, uuid = randomUUID } = options;
  const kept = directory === undefined ? {} : { directory };
  return {
    accountId: ACCOUNT_ID,
    region,
    ...kept,
    clock,
    now: clock.now,
    timers,
    random,
    uuid,
    log,
  };
}

const systemTimers: Timers = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** @throws {BootError} naming whatever of the template could not be resolved */
export function readStack(
  templateFile: string,
  { accountId, region }: Pick<World, 'accountId' | 'region'>,
): ResolvedStack {
  const template: unknown = JSON.parse(readFileSync(templateFile, 'utf8'));
  const place = { accountId, region, partition: 'aws', stackName: 'tributary' };
  const stack = resolveTemplate(template, place);
  if (stack.problems.length > 0) throw new BootError(stack.problems);
  return stack;
}
