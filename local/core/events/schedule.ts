import { nextCron, parseCron } from './cron.ts';

/** When a rule fires: the first time after `afterMs`, or never again. */
export interface Schedule {
  readonly next: (afterMs: number) => number | undefined;
}

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/**
 * Reads the `ScheduleExpression` of an EventBridge rule: `rate(5 minutes)` or `cron(0 12 * * ? *)`, in UTC.
 *
 * @param createdAtMs  when the rule came to be; a rate counts from there
 * @throws {Error} saying what is wrong with the expression and where
 * @see EventBridge User Guide, "Setting a schedule pattern for scheduled rules"
 */
export function parseSchedule(expression: string, createdAtMs: number): Schedule {
  const [, kind, argument = ''] = /^(rate|cron)\(([^)]*)\)$/.exec(expression) ?? [];
  if (kind === 'rate') return rate(expression, argument, createdAtMs);
  if (kind === 'cron') {
    const fields = parseCron(argument);
    return { next: (afterMs) => nextCron(fields, afterMs) };
  }
  throw new Error(`${expression}: a schedule is rate(…) or cron(…)`);
}

function rate(expression: string, argument: string, createdAtMs: number): Schedule {
  const [, digits, unit, plural] = /^([1-9]\d*) (minute|hour|day)(s?)$/.exec(argument) ?? [];
  if (digits === undefined || (unit !== 'minute' && unit !== 'hour' && unit !== 'day')) {
    throw new Error(`${expression}: a rate is a positive number and minute(s), hour(s) or day(s)`);
  }
  const count = Number(digits);
  if ((count === 1) !== (plural === '')) {
    throw new Error(
      `${expression}: the unit is ${unit}${count === 1 ? '' : 's'} where the number is ${count}`,
    );
  }
  const everyMs = count * UNIT_MS[unit];
  return {
    next: (afterMs) => {
      const passed = Math.floor((afterMs - createdAtMs) / everyMs);
      return createdAtMs + (Math.max(passed, 0) + 1) * everyMs;
    },
  };
}
