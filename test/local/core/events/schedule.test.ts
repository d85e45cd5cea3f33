import { describe, expect, it } from '@jest/globals';
import { parseSchedule } from '../../../../local/core/events/schedule.ts';

const CREATED = Date.parse('2026-01-01T00:00:30Z');

const times = (expression: string, from: string, count: number): string[] => {
  const schedule = parseSchedule(expression, CREATED);
  const found: string[] = [];
  let at: number | undefined = Date.parse(from);
  while (found.length < count) {
    at = schedule.next(at);
    if (at === undefined) break;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
};

describe('a rate', () => {
  it.each([
    { rate: 'rate(1 minute)', next: ['2026-01-01T00:01', '2026-01-01T00:02'] },
    { rate: 'rate(5 minutes)', next: ['2026-01-01T00:05', '2026-01-01T00:10'] },
    { rate: 'rate(2 hours)', next: ['2026-01-01T02:00', '2026-01-01T04:00'] },
    { rate: 'rate(1 day)', next: ['2026-01-02T00:00', '2026-01-03T00:00'] },
  ])('$rate counts from when the rule came to be', ({ rate, next }) => {
    expect(times(rate, '2026-01-01T00:00:30Z', 2)).toEqual(next);
  });

  it.each([
    'rate(0 minutes)',
    'rate(1 minutes)',
    'rate(2 minute)',
    'rate(5 seconds)',
    'rate(-1 days)',
    'every minute',
    'at(2026-01-01T00:00:00)',
  ])('%s is refused', (rate) => {
    expect(() => parseSchedule(rate, CREATED)).toThrow(rate);
  });
});

describe('a cron expression', () => {
  it.each([
    {
      cron: 'cron(0 12 * * ? *)',
      from: '2026-03-01T13:00:00Z',
      next: ['2026-03-02T12:00', '2026-03-03T12:00'],
    },
    {
      cron: 'cron(0/15 * * * ? *)',
      from: '2026-03-01T13:07:00Z',
      next: ['2026-03-01T13:15', '2026-03-01T13:30'],
    },
    {
      cron: 'cron(15,45 8-9 ? * MON-FRI *)',
      from: '2026-03-06T08:50:00Z',
      next: ['2026-03-06T09:15', '2026-03-06T09:45', '2026-03-09T08:15'],
    },
    {
      cron: 'cron(0 0 L * ? *)',
      from: '2026-02-01T00:00:00Z',
      next: ['2026-02-28T00:00', '2026-03-31T00:00'],
    },
    {
      cron: 'cron(0 0 29 2 ? *)',
      from: '2026-01-01T00:00:00Z',
      next: ['2028-02-29T00:00', '2032-02-29T00:00'],
    },
    {
      cron: 'cron(0 0 LW * ? *)',
      from: '2026-01-01T00:00:00Z',
      next: ['2026-01-30T00:00', '2026-02-27T00:00'],
    },
    {
      cron: 'cron(0 0 1W * ? *)',
      from: '2026-01-15T00:00:00Z',
      next: ['2026-02-02T00:00', '2026-03-02T00:00', '2026-04-01T00:00'],
    },
    {
      cron: 'cron(0 0 15W * ? *)',
      from: '2026-03-01T00:00:00Z',
      next: ['2026-03-16T00:00', '2026-04-15T00:00'],
    },
    {
      cron: 'cron(0 0 ? * 6L *)',
      from: '2026-01-01T00:00:00Z',
      next: ['2026-01-30T00:00', '2026-02-27T00:00'],
    },
    {
      cron: 'cron(0 0 ? * L *)',
      from: '2026-01-01T00:00:00Z',
      next: ['2026-01-03T00:00', '2026-01-10T00:00'],
    },
    {
      cron: 'cron(0 0 ? * 3#2 *)',
      from: '2026-01-01T00:00:00Z',
      next: ['2026-01-13T00:00', '2026-02-10T00:00'],
    },
    { cron: 'cron(0 0 ? JAN,jul MON *)', from: '2026-01-27T00:00:00Z', next: ['2026-07-06T00:00'] },
    {
      cron: 'cron(0 0 1 1 ? 2026-2028/2)',
      from: '2026-01-01T00:00:00Z',
      next: ['2028-01-01T00:00'],
    },
    { cron: 'cron(0 0 1 1 ? 2025)', from: '2026-01-01T00:00:00Z', next: [] },
    {
      cron: 'cron(59 23 31 12 ? *)',
      from: '2026-12-31T23:58:59Z',
      next: ['2026-12-31T23:59', '2027-12-31T23:59'],
    },
  ])('$cron after $from fires at $next', ({ cron, from, next }) => {
    expect(times(cron, from, Math.max(next.length, 1))).toEqual(next);
  });

  it.each([
    { cron: 'cron(0 12 * * *)', says: 'takes six fields, has 5' },
    { cron: 'cron(0 12 * * * *)', says: 'exactly one is ?' },
    { cron: 'cron(0 12 ? * ? *)', says: 'exactly one is ?' },
    { cron: 'cron(60 12 * * ? *)', says: 'cron minutes: 60 is not within 0 to 59' },
    { cron: 'cron(0 12 ? * 8 *)', says: 'cron day of week: 8 is not within 1 to 7' },
    { cron: 'cron(0 12 ? * 2#6 *)', says: 'cron day of week: 2#6 is not within' },
    { cron: 'cron(0 12 1 FOO ? *)', says: 'cron month: FOO is not within 1 to 12' },
    { cron: 'cron(5-1 12 1 * ? *)', says: 'cron minutes: 5-1 is no range' },
    { cron: 'cron(*/0 12 1 * ? *)', says: 'cron minutes: */0 is no range' },
  ])('$cron is refused', ({ cron, says }) => {
    expect(() => parseSchedule(cron, CREATED)).toThrow(says);
  });
});
