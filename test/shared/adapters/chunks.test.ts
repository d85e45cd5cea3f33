import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chunks, inParallel } from '../../../shared/adapters/chunks.ts';

describe('chunks', () => {
  it('keep every item and the order, and both limits', () => {
    const limits = { count: 4, bytes: 10 };
    fc.assert(
      fc.property(fc.array(fc.nat(12)), (sizes) => {
        const runs = chunks(sizes, limits, (size) => size);
        expect(runs.flat()).toEqual(sizes);
        for (const run of runs) {
          expect(run.length).toBeLessThanOrEqual(4);
          const bytes = run.reduce((sum, size) => sum + size, 0);
          expect(run.length === 1 || bytes <= 10).toBe(true);
        }
      }),
    );
  });
});

describe('steps in parallel', () => {
  it('are never more than the width at once, and answer in order', async () => {
    let running = 0;
    let most = 0;
    const step = async (item: number) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return item * 2;
    };
    await expect(inParallel([1, 2, 3, 4, 5], 2, step)).resolves.toEqual([2, 4, 6, 8, 10]);
    expect(most).toBe(2);
  });
});
