import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gaussian, seeded } from '../../../../local/fleet/random.ts';
import {
  closeHour,
  dayExpectation,
  emptyRhythm,
  recall,
} from '../../../../shared/core/detection/rhythm.ts';
import {
  AS_EXPECTED,
  DIGITS_MAX,
  digitOf,
  distanceOf,
  isPending,
  NOTHING_PENDING,
  pendingDigits,
  WHOLE_PENDING,
  withHour,
} from '../../../../shared/core/detection/rhythm-hour.ts';

const digits = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: DIGITS_MAX });

const written = (list: readonly number[]): number =>
  list.reduce((pending, digit) => withHour(pending, 0, digit), NOTHING_PENDING);

describe('hours that wait', () => {
  it('are read as they were written, from one number of 48 bits', () => {
    fc.assert(
      fc.property(digits, (list) => {
        const pending = written(list);
        expect(pendingDigits(pending)).toEqual(list);
        expect(pending).toBeLessThan(2 ** 48);
        expect(isPending(pending)).toBe(true);
      }),
    );
  });

  it('count those without readings, as expected', () => {
    expect(pendingDigits(withHour(written([3]), 2, 1))).toEqual([3, AS_EXPECTED, AS_EXPECTED, 1]);
  });

  it.each([
    {
      when: 'there is no room',
      pending: written(new Array(DIGITS_MAX).fill(2)),
      skipped: 0,
      digit: 2,
    },
    { when: 'a digit cannot tell it', pending: written([1]), skipped: 0, digit: undefined },
    { when: 'there was a long pause', pending: written([1]), skipped: 500, digit: 2 },
    { when: 'it is so already', pending: WHOLE_PENDING, skipped: 0, digit: 2 },
  ])('ask for the whole rhythm when $when', ({ pending, skipped, digit }) => {
    expect(withHour(pending, skipped, digit)).toBe(WHOLE_PENDING);
  });
});

it('gives a distance the nearest of its levels, and the outermost beyond', () => {
  const level = (distance: number) => distanceOf(digitOf(distance, 2), 2);
  expect([-100, -2.1, -0.1, 0.1, 1.9, 2.1, 100].map(level)).toEqual([-3, -3, -1, 1, 1, 3, 3]);
});

/** A rhythm that has seen `days` of hours with a sine of the day and noise, and then some at another level. */
function learned(days: number, shiftedDays = 0) {
  const random = seeded(4);
  let rhythm = emptyRhythm(20);
  const lessons: { hour: number; digit: number | undefined }[] = [];
  for (let hour = 490_000; hour < 490_000 + 24 * (days + shiftedDays); hour += 1) {
    const shift = hour >= 490_000 + 24 * days ? 30 : 0;
    const mean = 20 + shift + 5 * Math.sin((hour / 12) * Math.PI) + 0.5 * gaussian(random);
    const lesson = closeHour(rhythm, { hour, mean, readings: hour - 489_000, tainted: false });
    if (lesson === undefined) continue;
    rhythm = lesson.rhythm;
    lessons.push({ hour, digit: lesson.digit });
  }
  return { rhythm, lessons };
}

it('learns a daily rhythm from digits as well as from means', () => {
  const { rhythm, lessons } = learned(30);
  expect(lessons.slice(8 * 24).filter(({ digit }) => digit === undefined)).toEqual([]);
  for (let hour = 0; hour < 24; hour += 1) {
    const expected = 20 + 5 * Math.sin(((490_000 + hour) / 12) * Math.PI);
    expect(Math.abs(dayExpectation(rhythm, 490_000 + hour) - expected)).toBeLessThan(1);
  }
});

it('follows another level within days, as the step grows with the distance', () => {
  const { rhythm } = learned(20, 12);
  expect(Math.abs(dayExpectation(rhythm, 490_000) - 50)).toBeLessThan(6);
});

it('recalls from digits exactly what it learned', () => {
  const { rhythm: before } = learned(10);
  const random = seeded(9);
  let lived = before;
  let recalled = before;
  for (let hour = before.hour + 1; hour < before.hour + 60; hour += 1) {
    const lesson = closeHour(lived, {
      hour,
      mean: 20 + 6 * gaussian(random),
      readings: 900,
      tainted: hour % 7 === 0,
    });
    lived = lesson?.rhythm ?? lived;
    recalled = recall(recalled, hour, lesson?.digit ?? AS_EXPECTED);
    expect(recalled).toEqual(lived);
  }
});

it('takes an hour that it has for no new one, and another clock for another time', () => {
  const { rhythm } = learned(10);
  const again = { hour: rhythm.hour, mean: 99, readings: 900, tainted: false };
  expect(closeHour(rhythm, again)).toBeUndefined();
  expect(closeHour(rhythm, { ...again, hour: rhythm.hour - 20 })).toBeUndefined();
  expect(closeHour(rhythm, { ...again, hour: rhythm.hour - 500 })?.digit).toBeUndefined();
  expect(closeHour(rhythm, { ...again, hour: rhythm.hour - 500 })?.rhythm.hour).toBe(
    rhythm.hour - 500,
  );
});
