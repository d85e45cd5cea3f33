import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type MetricState,
  newMetric,
  type Observation,
  observe,
  observeAll,
} from '../../../../shared/core/detection/metric.ts';
import type { Rhythm } from '../../../../shared/core/detection/rhythm.ts';
import {
  packRhythm,
  RHYTHM_BYTES,
  unpackRhythm,
} from '../../../../shared/core/detection/rhythm-bytes.ts';
import { emptyTrack } from '../../../../shared/core/detection/track.ts';
import {
  packTrack,
  TRACK_BYTES,
  unpackTrack,
} from '../../../../shared/core/detection/track-bytes.ts';

const packed = ({ track }: MetricState): Uint8Array => {
  const bytes = new Uint8Array(TRACK_BYTES);
  packTrack(track, new DataView(bytes.buffer), 0);
  return bytes;
};

const unpacked = (bytes: Uint8Array) => unpackTrack(new DataView(bytes.buffer), 0);

const rhythmFrom = (bytes: Uint8Array) => unpackRhythm(new DataView(bytes.buffer), 0);

const keptRhythm = (rhythm: Rhythm | undefined) => {
  const bytes = new Uint8Array(RHYTHM_BYTES);
  packRhythm(rhythm, new DataView(bytes.buffer), 0);
  return rhythmFrom(bytes);
};

const known = (rhythm: ReturnType<typeof keptRhythm>) => {
  if (rhythm === 'unreadable') throw new Error('a rhythm could not be read');
  return rhythm;
};

const anyNumber = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -100, max: 100, noNaN: true }),
  fc.integer(),
  fc.constantFrom(0, 1e300, -1e300, 5e-324, Number.MAX_SAFE_INTEGER),
);

const anySeries = fc
  .array(fc.record({ after: fc.integer({ min: -1000, max: 4e6 }), value: anyNumber }), {
    minLength: 1,
    maxLength: 120,
  })
  .map((steps) => {
    let atMs = Date.UTC(2026, 0, 1);
    return steps.map(({ after, value }): Observation => {
      atMs += after;
      return { atMs, value };
    });
  });

it('survives the largest numbers there are, from one end to the other', () => {
  const largest = Number.MAX_VALUE;
  const values = [...new Array<number>(40).fill(0), largest, -largest, 0, largest, 1, -largest];
  const series = values.map((value, at) => ({ atMs: Date.UTC(2026, 0, 1) + at * 60_000, value }));
  const { state, verdicts } = observeAll(newMetric(), series);
  for (const { score } of verdicts) expect(score >= 0 && score <= 1).toBe(true);
  expect(unpacked(packed(state))).toEqual(state.track);
});

it('loses nothing of a track by packing it, whatever was read', () => {
  fc.assert(
    fc.property(anySeries, (series) => {
      const { state } = observeAll(newMetric(), series);
      expect(unpacked(packed(state))).toEqual(state.track);
      expect(keptRhythm(state.rhythm)).toEqual(state.rhythm);
    }),
    { numRuns: 200 },
  );
});

it('goes on after any interruption as if there had been none', () => {
  fc.assert(
    fc.property(anySeries, fc.nat(100), (series, cut) => {
      const ordered = series.toSorted((one, other) => one.atMs - other.atMs);
      const whole = observeAll(newMetric(), ordered);
      const first = observeAll(newMetric(), ordered.slice(0, cut));
      const track = unpacked(packed(first.state));
      const resumed: MetricState = {
        track: track ?? emptyTrack(undefined),
        rhythm: known(keptRhythm(first.state.rhythm)),
        incidents: first.state.incidents,
      };
      const rest = observeAll(resumed, ordered.slice(cut));
      expect([...first.verdicts, ...rest.verdicts]).toEqual(whole.verdicts);
      expect(rest.state).toEqual(whole.state);
    }),
    { numRuns: 100 },
  );
});

it('takes 96 bytes for what changes with a reading, under a quarter of a kilobyte for the rhythm', () => {
  expect(TRACK_BYTES).toBe(96);
  expect(RHYTHM_BYTES).toBeLessThanOrEqual(256);
});

it('gives nothing or a track that works for any bytes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: TRACK_BYTES, maxLength: TRACK_BYTES }),
      anySeries,
      (bytes, series) => {
        const track = unpacked(Uint8Array.from(bytes));
        if (track === undefined) return;
        const state = { track, rhythm: undefined, incidents: [] };
        const { verdicts } = observeAll(state, series);
        for (const { score } of verdicts) expect(score >= 0 && score <= 1).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

it('gives nothing or a rhythm for any bytes', () => {
  const bytes = fc.uint8Array({ minLength: RHYTHM_BYTES, maxLength: RHYTHM_BYTES });
  fc.assert(
    fc.property(bytes, (any) => {
      const rhythm = rhythmFrom(Uint8Array.from(any));
      if (rhythm === undefined || rhythm === 'unreadable') return;
      const state = { ...newMetric(), rhythm };
      const { verdict } = observe(state, { atMs: Date.UTC(2026, 0, 1), value: 1 });
      expect(verdict.score).toBe(0);
    }),
  );
});
