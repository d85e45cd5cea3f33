import { expect, it } from '@jest/globals';
import { run } from '../../../../bench/support/detection-run.ts';
import { FAULTS } from '../../../../local/fleet/faults.ts';
import { scenario } from '../../../../local/fleet/scenario.ts';
import { anomalyId } from '../../../../shared/core/detection/anomaly.ts';
import { duration, sentenceOf } from '../../../../shared/core/detection/explain.ts';

it.each(FAULTS)('tells of %s in one sentence without gaps', (fault) => {
  const made = scenario({ seed: 6, fault, days: fault === 'drift' ? 21 : 4 });
  for (const { metric, anomaly } of run(made).told) {
    const sentence = sentenceOf({ thing: 'probe-1', metric }, anomaly);
    expect(sentence).toMatch(/^(\w+ of )?probe-1 .+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ.*\.$/);
    expect(sentence).not.toMatch(/undefined|NaN|Infinity|unknown/);
  }
});

it('says what, how much, what was expected, and since when', () => {
  const made = scenario({ seed: 5, fault: 'spike' });
  const report = run(made).told.find(
    ({ atMs, change }) => atMs >= made.fromMs && change === 'opens',
  );
  expect(report && sentenceOf({ thing: 'probe-1', metric: 'value' }, report.anomaly)).toMatch(
    /^value of probe-1 reads \d+(\.\d+)? Cel, above \S+ to \S+ Cel seen in .+; expected \S+ Cel, since 2026-/,
  );
});

it.each([
  { ms: 1500, text: '1.5 s' },
  { ms: 90_000, text: '90 s' },
  { ms: 150_000, text: '2.5 min' },
  { ms: 3 * 86_400_000, text: '3 d' },
])('writes $ms ms as $text', ({ ms, text }) => {
  expect(duration(ms)).toBe(text);
});

it('gives an anomaly an id of what it is about, and no other that id', () => {
  const anomaly = { finder: 'value', openedAtMs: 1_790_000_000_000 } as const;
  expect(anomalyId('probe-1', 'a/b', anomaly)).toBe('probe-1/a%2Fb/value/mubbs7i8');
  expect(anomalyId('probe-1', 'a', anomaly)).not.toBe(anomalyId('probe-1', 'b', anomaly));
});
