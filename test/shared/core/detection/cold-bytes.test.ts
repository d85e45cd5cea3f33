import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gaussian, seeded } from '../../../../local/fleet/random.ts';
import {
  type DeviceReading,
  type DeviceState,
  newDevice,
  observeDevice,
} from '../../../../shared/core/detection/device.ts';
import {
  type PackedDevice,
  packDevice,
  unpackDevice,
} from '../../../../shared/core/detection/device-bytes.ts';
import { DAY_MS, HOUR_MS } from '../../../../shared/core/detection/rhythm.ts';

const BEGIN_MS = Date.UTC(2026, 0, 5);
const METRICS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** Eight metrics, each with a daily rhythm, a weekly one and noise. */
function fleetDevice(everyMs: number) {
  const random = seeded(5);
  return (at: number): DeviceReading => {
    const atMs = BEGIN_MS + at * everyMs;
    const rhythm =
      3 * Math.sin((2 * Math.PI * atMs) / DAY_MS) + Math.sin((2 * Math.PI * atMs) / (7 * DAY_MS));
    return {
      observedAtMs: atMs,
      receivedAtMs: atMs + 200,
      transport: 'mqtt',
      metrics: Object.fromEntries(
        METRICS.map((name, metric) => [name, 20 + metric + rhythm + 0.2 * gaussian(random)]),
      ),
    };
  };
}

const stateOf = (packed: PackedDevice): DeviceState => {
  const { state, lost } = unpackDevice(packed);
  expect(lost).toEqual([]);
  return state ?? newDevice();
};

/** A device whose state is stored after each batch, as it would be in a table. */
function stored(everyMs: number, days: number, perBatch = 1) {
  const readingAt = fleetDevice(everyMs);
  let kept = packDevice(newDevice());
  const colds: (Uint8Array | undefined)[] = [];
  let at = 0;
  while (at * everyMs < days * DAY_MS) {
    const batch = Array.from({ length: perBatch }, () => readingAt(at++));
    const packed = packDevice(observeDevice(stateOf(kept), batch).state);
    colds.push(packed.cold);
    kept = { ...packed, cold: packed.cold ?? kept.cold };
  }
  return { kept, colds, next: () => [readingAt(at++)] };
}

const isWritten = (cold: Uint8Array | undefined): boolean => cold !== undefined;

it.each([
  { reporter: 'minute', everyMs: 60_000, days: 2, from: 1440 },
  { reporter: 'hour', everyMs: HOUR_MS, days: 42, from: 15 * 24 },
])(
  'writes at most 1.1 units a batch of a device that reports each $reporter, once it knows its week',
  ({ everyMs, days, from }) => {
    const { kept, colds } = stored(everyMs, days);
    const steady = colds.slice(from);
    const coldUnits = Math.ceil(((kept.cold?.length ?? 0) + 200) / 1024);
    expect(kept.hot.length + 190).toBeLessThanOrEqual(1024);
    expect(coldUnits).toBe(2);
    expect(1 + (coldUnits * steady.filter(isWritten).length) / steady.length).toBeLessThanOrEqual(
      1.1,
    );
  },
);

it('writes the rhythm each hour of the first day, as none of it can be told by digits yet', () => {
  const { colds } = stored(HOUR_MS, 1);
  expect(colds.slice(2).every(isWritten)).toBe(true);
});

it('holds each hour in the hot part until the rhythm is written', () => {
  const { kept, next } = stored(HOUR_MS, 30);
  let state = stateOf(kept);
  let table = kept;
  for (let hour = 0; hour < 60; hour += 1) {
    const batch = next();
    state = { ...observeDevice(state, batch).state, coldDue: false };
    const packed = packDevice(observeDevice(stateOf(table), batch).state);
    table = { ...packed, cold: packed.cold ?? table.cold };
    expect(stateOf(table)).toEqual(state);
  }
});

it('is the same from its bytes as it was, whatever was read and when', () => {
  const gap = fc.oneof(
    fc.integer({ min: -2 * HOUR_MS, max: 3 * HOUR_MS }),
    fc.integer({ min: 0, max: 80 * HOUR_MS }),
    fc.constant(-5 * DAY_MS),
  );
  const value = fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ noNaN: true }));
  const step = fc.record({ gap, value, other: fc.option(value, { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 60 }), (batches) => {
      let atMs = BEGIN_MS;
      let state = newDevice();
      let table = packDevice(state);
      for (const batch of batches) {
        const readings = batch.map(({ gap: afterMs, value: a, other }): DeviceReading => {
          atMs += afterMs;
          const metrics = other === undefined ? { a } : { a, b: other };
          return { observedAtMs: atMs, receivedAtMs: atMs, transport: 'mqtt', metrics };
        });
        state = { ...observeDevice(state, readings).state, coldDue: false };
        const packed = packDevice(observeDevice(stateOf(table), readings).state);
        table = { ...packed, cold: packed.cold ?? table.cold };
        expect(stateOf(table)).toEqual(state);
      }
    }),
    { numRuns: 40 },
  );
});

it('learns no hour twice when a crash comes between the writing of the rhythm and of the rest', () => {
  const { kept, next } = stored(HOUR_MS, 30);
  let before = kept;
  let batch = next();
  let packed = packDevice(observeDevice(stateOf(before), batch).state);
  while (packed.cold === undefined) {
    before = { ...packed, cold: before.cold };
    batch = next();
    packed = packDevice(observeDevice(stateOf(before), batch).state);
  }
  const crashed = { ...before, cold: packed.cold };
  const again = packDevice(observeDevice(stateOf(crashed), batch).state);
  expect(again.cold).toBeUndefined();
  expect(again.hot).toEqual(packed.hot);
  const rhythms = (device: PackedDevice) =>
    [...stateOf(device).metrics.values()].map(({ rhythm }) => rhythm);
  expect(rhythms({ ...again, cold: packed.cold })).toEqual(rhythms(packed));
});

it('begins the rhythms anew where what is stored of them is of another time, and says so', () => {
  const { kept, next } = stored(HOUR_MS, 5);
  const cold = kept.cold?.slice();
  cold?.set([7, 7], 2);
  const { state, lost } = unpackDevice({ ...kept, cold });
  expect(lost).toEqual(['device: rhythms']);
  const later = observeDevice(state ?? newDevice(), next());
  expect(packDevice(later.state).cold).toBeDefined();
});

it('goes on with a device that is silent for days, and with one whose clock is set back', () => {
  const { kept, next } = stored(HOUR_MS, 10);
  const [reading] = next();
  if (reading === undefined) return;
  for (const days of [3, -3]) {
    const moved = { ...reading, observedAtMs: reading.observedAtMs + days * DAY_MS };
    const after = { ...moved, observedAtMs: moved.observedAtMs + HOUR_MS };
    const packed = packDevice(observeDevice(stateOf(kept), [moved, after]).state);
    expect(packed.cold).toBeDefined();
    const rhythm = stateOf(packed).metrics.get('a')?.rhythm;
    expect(rhythm?.hour).toBe(Math.floor(moved.observedAtMs / HOUR_MS));
  }
});
