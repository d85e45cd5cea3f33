import { describe, expect, it } from '@jest/globals';
import {
  BUDGET_LIMITS,
  type BudgetState,
  FRESH_BUDGET,
  isQuiet,
  requestContainment,
  resetBreaker,
} from '../../../../shared/core/security/budget.ts';

const T0 = 1_790_000_000_000;

function world(limits = BUDGET_LIMITS) {
  let state: BudgetState = FRESH_BUDGET;
  const ask = (thing: string, atMs: number, fleet = 'acme') => {
    const verdict = requestContainment(state, { thing, fleet }, atMs, limits);
    state = verdict.next ?? state;
    return verdict.granted ? 'granted' : verdict.trips ? 'trips' : verdict.why;
  };
  return { ask, reset: () => (state = resetBreaker(state)), state: () => state };
}

/** One thing every ten seconds: no breaker. */
const slowly = (at: number) => T0 + at * 10_000;

describe('the budget', () => {
  it('grants a fleet no more than its share within five minutes, and the rest to others', () => {
    const { ask } = world();
    const answers = Array.from({ length: 20 }, (_, at) => ask(`probe-${at}`, slowly(at)));
    expect(answers.filter((one) => one === 'granted')).toHaveLength(BUDGET_LIMITS.fleet);
    expect(ask('other-1', slowly(20), 'bolt')).toBe('granted');
  });

  it('grants an account no more than its whole', () => {
    const { ask } = world({ ...BUDGET_LIMITS, breakerThings: 1_000 });
    const answers = Array.from({ length: 100 }, (_, at) => ask(`p-${at}`, T0 + at, `f-${at % 9}`));
    expect(answers.filter((one) => one === 'granted')).toHaveLength(BUDGET_LIMITS.account);
  });

  it('costs nothing for who was granted before', () => {
    const { ask, state } = world();
    ask('probe-1', T0);
    const before = state();
    expect(ask('probe-1', T0 + 1)).toBe('granted');
    expect(state()).toBe(before);
  });

  it('comes back with time', () => {
    const { ask } = world({ ...BUDGET_LIMITS, account: 1 });
    expect([ask('a', T0), ask('b', T0 + 1), ask('b', T0 + BUDGET_LIMITS.windowMs + 1)]).toEqual([
      'granted',
      'budget',
      'granted',
    ]);
  });
});

describe('the breaker', () => {
  it('opens once when many things are hit within a minute, and stays open until a person has looked', () => {
    const { ask, reset } = world();
    const answers = Array.from({ length: 10_000 }, (_, at) => ask(`p-${at}`, T0 + at * 6));
    expect(answers.filter((one) => one === 'granted').length).toBeLessThan(25);
    expect(answers.filter((one) => one === 'trips')).toHaveLength(1);
    expect(ask('late', T0 + 20 * 60_000)).toBe('breaker');
    reset();
    expect(ask('late', T0 + 20 * 60_000)).toBe('granted');
  });

  it('keeps its state small', () => {
    const { ask, state } = world();
    for (let at = 0; at < 10_000; at += 1) ask(`p-${at}`, T0 + at * 4_000, `f-${at}`);
    expect(JSON.stringify(state()).length).toBeLessThan(8_000);
  });
});

it.each([
  [{ fromHour: 22, toHour: 6 }, '23:59', true],
  [{ fromHour: 22, toHour: 6 }, '06:00', false],
  [{ fromHour: 8, toHour: 10 }, '09:00', true],
  [{ fromHour: 0, toHour: 0 }, '00:00', false],
])('quiet hours %j at %s: %s', (hours, at, quiet) => {
  expect(isQuiet(hours, Date.parse(`2026-09-21T${at}:00Z`))).toBe(quiet);
});
