import { describe, expect, it } from '@jest/globals';
import {
  advance,
  NO_PROGRESS,
  type Progress,
  packProgress,
  unpackProgress,
} from '../../../../shared/core/detection/progress.ts';

const PLACE = 49_670_000_000_017_900_000_002_500_000_000_000_000_000_000_000_000_000_000n;
const idOf = (number: number): string =>
  Buffer.from(String(number).padStart(16, '0')).toString('base64url').slice(-8).padEnd(22, 'A');

const taken = (numbers: readonly number[], from: Progress = NO_PROGRESS) => {
  let progress = from;
  const fresh: number[] = [];
  for (const number of numbers) {
    const step = advance(progress, String(PLACE + BigInt(number)), idOf(number));
    progress = step.progress;
    if (step.isNew) fresh.push(number);
  }
  return { progress, fresh };
};

describe('progress', () => {
  it('takes each place of the stream once', () => {
    const { progress, fresh } = taken([1, 2, 3, 2, 1, 3, 4]);
    expect(fresh).toEqual([1, 2, 3, 4]);
    expect(progress.upTo).toBe(PLACE + 4n);
  });

  it('takes a reading once that is put at another place', () => {
    const { progress } = taken([1, 2, 3]);
    const again = advance(progress, String(PLACE + 9n), idOf(2));
    expect(again).toMatchObject({ isNew: false, progress: { upTo: PLACE + 9n } });
  });

  it('remembers the last 64 readings, and packs no more of them than there is room for', () => {
    const { progress } = taken(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(progress.recent).toHaveLength(64);
    const newest = progress.recent.slice(-10);
    expect(unpackProgress(packProgress(progress, 2 + 24 + 6 * 10 + 5))).toEqual({
      upTo: progress.upTo,
      recent: newest,
    });
  });

  it('keeps eight readings whatever the room', () => {
    const { progress } = taken(Array.from({ length: 20 }, (_, at) => at + 1));
    expect(unpackProgress(packProgress(progress, 0))?.recent).toHaveLength(8);
  });

  it('is what it was, before the first reading and for the highest place', () => {
    for (const progress of [NO_PROGRESS, { upTo: 10n ** 56n - 1n, recent: [] }]) {
      expect(unpackProgress(packProgress(progress, 1_000))).toEqual(progress);
    }
  });

  it.each([[], [1], [2, 1, 5], [1, 9, 5], [1, 0], [1, 1, 5, 7]])(
    'is none in the bytes %j',
    (...bytes) => {
      expect(unpackProgress(Uint8Array.from(bytes))).toBeUndefined();
    },
  );
});
