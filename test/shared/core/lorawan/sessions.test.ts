import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  EMPTY_WINDOW,
  merge,
  type ReplayWindow,
  take,
  topOf,
  verdictOn,
} from '../../../../shared/core/lorawan/replay-window.ts';
import {
  ENVELOPE,
  type Frame,
  mergeSessions,
  observe,
  type Sessions,
} from '../../../../shared/core/lorawan/sessions.ts';

const windowOf = (frames: readonly number[]): ReplayWindow => frames.reduce(take, EMPTY_WINDOW);
const frames = fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 80 });

describe('a window', () => {
  it('has seen what it took, and nothing else', () => {
    fc.assert(
      fc.property(frames, (taken) => {
        const window = windowOf(taken);
        for (let frame = 0; frame <= 121; frame += 1) {
          expect(verdictOn(window, frame)).toBe(taken.includes(frame) ? 'seen' : 'new');
        }
      }),
    );
  });

  it('is the same whatever the order, and whichever copies it was taken in', () => {
    fc.assert(
      fc.property(frames, frames, (some, others) => {
        const together = windowOf([...some, ...others]);
        expect(windowOf([...others, ...some].reverse())).toEqual(together);
        expect(merge(windowOf(some), windowOf(others))).toEqual(together);
        expect(merge(windowOf(others), windowOf(some))).toEqual(together);
      }),
    );
  });

  it('stays small when every other frame is lost, and says of what it gave up that it cannot tell', () => {
    const window = windowOf(Array.from({ length: 1000 }, (_, at) => 2 * at));
    expect(JSON.stringify(window).length).toBeLessThan(1_000);
    expect([verdictOn(window, 3), verdictOn(window, 1997), verdictOn(window, 1998)]).toEqual([
      'forgotten',
      'new',
      'seen',
    ]);
    expect(topOf(window)).toBe(1998);
  });
});

const frame = (fCnt: number, changes: Partial<Frame> = {}): Frame => ({
  devAddr: '01b8f3c7',
  fCnt,
  mic: `mic-${fCnt}`,
  ...changes,
});
const taken = (list: readonly Frame[], start: Sessions = []): Sessions =>
  list.reduce((sessions, one) => observe(sessions, one).taken, start);
const upTo = (count: number, from = 0): Frame[] =>
  Array.from({ length: count }, (_, at) => frame(from + at));

describe('a session', () => {
  it('takes none of ten thousand frames again', () => {
    const sessions = taken(upTo(10_000));
    const again = upTo(10_000).map((one) => observe(sessions, one).verdict);
    expect(new Set(again)).toEqual(new Set(['seen']));
  });

  it('takes frames that come late', () => {
    const sessions = taken([frame(10), frame(12)]);
    expect(observe(sessions, frame(11))).toMatchObject({ verdict: 'new', lost: undefined });
  });

  it.each([
    { heard: [10], next: 11, lost: 0 },
    { heard: [10], next: 14, lost: 3 },
    { heard: [], next: 14, lost: undefined },
    { heard: [65_535], next: 0, lost: 0 },
    { heard: [65_530], next: 4, lost: 9 },
    { heard: [65_535], next: 65_536, lost: 0 },
    { heard: [131_070, 65_530], next: 131_075, lost: 4 },
  ])('counts $lost frames as lost between $heard and $next', ({ heard, next, lost }) => {
    expect(observe(taken(heard.map((one) => frame(one))), frame(next)).lost).toBe(lost);
  });

  it('goes on over each turn of a counter of 16 bits', () => {
    const counters = Array.from({ length: 200 }, (_, at) => (at * 1000) % 65_536);
    const verdicts: string[] = [];
    let sessions: Sessions = [];
    for (const [at, counter] of counters.entries()) {
      const observation = observe(sessions, frame(counter, { mic: `mic-${at}` }));
      verdicts.push(observation.verdict);
      sessions = observation.taken;
    }
    expect(new Set(verdicts)).toEqual(new Set(['new']));
  });

  it('of a counter of 32 bits does not take small numbers for a turn', () => {
    const sessions = taken([frame(5), frame(70_000), frame(70_001)]);
    expect(observe(sessions, frame(5)).verdict).toBe('seen');
  });

  it('begins with each join, and loses nothing by it', () => {
    const before = taken(upTo(100));
    const joined = upTo(100).map((one) => ({ ...one, devAddr: '0177aa11' }));
    const sessions = taken(joined, before);
    expect(joined.every((one) => observe(before, one).verdict === 'new')).toBe(true);
    expect(observe(sessions, joined[0] ?? frame(0)).verdict).toBe('seen');
    expect(observe(sessions, frame(99)).verdict).toBe('seen');
  });

  it('begins anew under the same address when the first frames have other MICs', () => {
    const before = taken(upTo(100));
    const again = upTo(100).map((one) => ({ ...one, mic: `other-${one.fCnt}` }));
    let sessions = before;
    for (const one of again) {
      const observation = observe(sessions, one);
      expect(observation.verdict).toBe('new');
      sessions = observation.taken;
    }
  });

  it('begins anew under the same address also when the frames that tell them apart were lost', () => {
    const timed = (fCnt: number, heardAtMs: number, mic: string) => frame(fCnt, { heardAtMs, mic });
    const before = upTo(100).map(({ fCnt }) => timed(fCnt, 1_000 * fCnt, `old-${fCnt}`));
    const sessions = taken(before);
    const first = timed(42, 200_000, 'new-42');
    const observation = observe(sessions, first);
    expect(observation).toMatchObject({ verdict: 'new', began: 'reset', lost: undefined });
    const again = [...before, first].map((one) => observe(observation.taken, one).verdict);
    expect(new Set(again)).toEqual(new Set(['seen']));
    expect(observe(observation.taken, timed(43, 210_000, 'new-43')).verdict).toBe('new');
  });

  it('loses nothing by joins and takes nothing twice, whatever is lost, repeated and sent again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(999), { maxLength: 300 }), (steps) => {
        const sent: Frame[] = [];
        let sessions: Sessions = [];
        let [joins, fCnt] = [0, 0];
        for (const [at, step] of steps.entries()) {
          if (step < 15 && joins < 3) [joins, fCnt] = [joins + 1, 0];
          const again = step < 300 ? sent[step % sent.length] : undefined;
          const heardAtMs = 1_000 * at;
          const devAddr = `0000000${joins % 2}`;
          const next = again ?? { devAddr, fCnt, mic: `${joins}-${fCnt}`, heardAtMs };
          const observation = observe(sessions, next);
          expect(observation.verdict).toBe(again === undefined ? 'new' : 'seen');
          sessions = observation.taken;
          if (again !== undefined) continue;
          sent.push(next);
          fCnt += step > 900 ? 2 + (step % 7) : 1;
        }
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  it('takes a frame that arrived and could not be read when it comes again, and counts it as heard', () => {
    const { heard } = observe(taken([frame(1)]), frame(2));
    expect(observe(heard, frame(2)).verdict).toBe('new');
    expect(observe(heard, frame(3)).lost).toBe(0);
  });

  it('keeps to a few sessions a device, and to its envelopes over any number of joins', () => {
    const many = Array.from({ length: 50 }, (_, at) => frame(1, { devAddr: String(at) }));
    expect(taken(many)).toHaveLength(4);
    const envelope = frame(7, { devAddr: ENVELOPE, mic: undefined });
    const sessions = taken([envelope, ...many]);
    expect(sessions).toHaveLength(5);
    expect(observe(sessions, envelope).verdict).toBe('seen');
  });
});

it('two accounts of sessions under one address stay apart', () => {
  const timed = (count: number, startMs: number, keys: string) =>
    upTo(count).map((one) => ({
      ...one,
      mic: `${keys}-${one.fCnt}`,
      heardAtMs: startMs + one.fCnt,
    }));
  const [before, joined] = [timed(21, 1_000, 'old'), timed(5, 5_000, 'new')];
  const common = taken(before.slice(0, 20));
  const merged = mergeSessions(taken(joined, common), taken(before.slice(20), common));
  expect(merged).toHaveLength(2);
  const verdicts = [...before, ...joined].map((one) => observe(merged, one).verdict);
  expect(new Set(verdicts)).toEqual(new Set(['seen']));
});

it('accounts of one device that went apart are one again', () => {
  const common = taken(upTo(5));
  const one = taken([frame(5), frame(7)], common);
  const other = taken([frame(6), frame(0, { devAddr: '0177aa11' })], common);
  const merged = mergeSessions(one, other);
  const verdicts = upTo(9).map((each) => observe(merged, each).verdict);
  expect(verdicts.indexOf('new')).toBe(8);
  expect(observe(merged, frame(0, { devAddr: '0177aa11' })).verdict).toBe('seen');
});
