import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  intervalMs,
  runCode,
  runOf,
  sinceLast,
  tickOf,
  towardsInterval,
} from '../../../../shared/core/detection/codes.ts';
import { f16, f24, f32 } from '../../../../shared/core/detection/roundings.ts';

const anyNumber = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -70_000, max: 70_000, noNaN: true }),
  fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
);

it('rounds to the nearest binary16, as near as the platform does', () => {
  fc.assert(
    fc.property(anyNumber, (value) => {
      const held = Math.max(-65_504, Math.min(65_504, value));
      const rounded = f16(value);
      expect(Math.f16round(rounded)).toBe(rounded);
      expect(Math.abs(rounded - held)).toBe(Math.abs(Math.f16round(held) - held));
    }),
  );
});

it('rounds to the upper 24 bits of a binary32', () => {
  const view = new DataView(new ArrayBuffer(4));
  fc.assert(
    fc.property(anyNumber, (value) => {
      const rounded = f24(value);
      view.setFloat32(0, rounded);
      expect(view.getFloat32(0)).toBe(rounded);
      expect(view.getUint8(3)).toBe(0);
      if (Math.abs(value) < 3.4e38 && Math.abs(value) > 1.2e-38) {
        expect(Math.abs(rounded - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -16);
      }
    }),
  );
});

it.each([f16, f24, f32])(
  'holds what is not finite, or too large, as the largest there is',
  (round) => {
    expect(Number.isFinite(round(Number.POSITIVE_INFINITY))).toBe(true);
    expect(Number.isFinite(round(Number.NEGATIVE_INFINITY))).toBe(true);
  },
);

it('tells times apart across the end of the ticks, within four years', () => {
  const wrap = 2 ** 32 * 64 * 7;
  for (const [before, after] of [
    [wrap - 640, wrap + 640],
    [wrap + 640, wrap - 640],
    [wrap, wrap + 3 * 365 * 86_400_000],
  ] as const) {
    expect(sinceLast({ tick: tickOf(before) }, after)).toBe(Math.floor((after - before) / 64) * 64);
  }
});

it('brings the usual interval to what is seen, an eighth of an octave at a time', () => {
  let code = towardsInterval(0, 60_000);
  expect(intervalMs(code) / 60_000).toBeCloseTo(1, 0);
  code = towardsInterval(code, 3_600_000);
  expect(intervalMs(code)).toBeLessThan(70_000);
  for (let step = 0; step < 60; step += 1) code = towardsInterval(code, 3_600_000);
  expect(intervalMs(code) / 3_600_000).toBeGreaterThan(0.95);
  expect(intervalMs(code) / 3_600_000).toBeLessThan(1.05);
});

it('never takes a run for shorter than it was', () => {
  expect(runCode(0)).toBe(0);
  for (let count = 1; count < 60_000; count += 7) {
    expect(runOf(runCode(count))).toBeGreaterThanOrEqual(count * (1 - 1e-12));
    expect(runOf(runCode(count))).toBeLessThan(count * 1.05);
  }
});
