import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCheckpointTracker } from '../../../../local/runtime/event-source/checkpoint-tracker.ts';

it('moves only to where everything before is done', () => {
  const tracker = createCheckpointTracker();
  for (const sequenceNumber of ['1', '2', '3', '4']) tracker.add(sequenceNumber);
  expect(tracker.done(['2', '3'])).toBeUndefined();
  expect(tracker.open()).toBe(2);
  expect(tracker.done(['1'])).toBe('3');
  expect(tracker.done(['4'])).toBe('4');
  expect(tracker.open()).toBe(0);
});

it('reaches the end in whatever order records are done', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        Array.from({ length: 50 }, (_, i) => String(i)),
        { minLength: 50 },
      ),
      (order) => {
        const tracker = createCheckpointTracker();
        for (let i = 0; i < 50; i++) tracker.add(String(i));
        const done = new Set<string>();
        for (const sequenceNumber of order) {
          done.add(sequenceNumber);
          const last = tracker.done([sequenceNumber]);
          if (last === undefined) continue;
          for (let i = 0; i <= Number(last); i++) expect(done).toContain(String(i));
          expect(done).not.toContain(String(Number(last) + 1));
        }
        expect(tracker.open()).toBe(0);
      },
    ),
  );
});
