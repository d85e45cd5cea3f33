import { expect, it } from '@jest/globals';
import { MetricOptions, mergeOptions } from '../../../../shared/core/detection/options.ts';

it('takes the nearest setting of each', () => {
  const metric = { range: { high: 50 } };
  const type = { range: { high: 80 }, unit: 'Cel' };
  const fleet = { direction: 'above', unit: 'K' } as const;
  expect(mergeOptions([metric, type, fleet])).toEqual({
    range: { high: 50 },
    unit: 'Cel',
    direction: 'above',
  });
});

it.each([
  { rule: { name: 'r' }, problem: 'wants one of above and below' },
  { rule: { name: 'r', above: 1, below: 0 }, problem: 'wants one of above and below' },
  { rule: { name: 'r', above: 1, clear: 2 }, problem: 'is over the threshold' },
  { rule: { name: 'r', below: 1, clear: 0 }, problem: 'is under the threshold' },
])('refuses the rule $rule', ({ rule, problem }) => {
  const result = MetricOptions.safeParse({ rules: [rule] });
  expect(result.error?.issues.map(({ message }) => message)).toEqual([problem]);
});
