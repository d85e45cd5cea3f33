import { expect, it } from '@jest/globals';
import { seeded } from '../../../../local/fleet/random.ts';
import { simulateDevice } from '../../../../local/fleet/simulated-device.ts';
import { newDevice, observeDevice } from '../../../../shared/core/detection/device.ts';

const BEGIN_MS = Date.UTC(2026, 10, 22);
const HOUR_MS = 3_600_000;
const INTERVAL_MS = 2000;
const READINGS = 900;
const DEVICES = 24;

/** Anomalies of a healthy device with three metrics that was never seen before. */
function alarmsOf(seed: number): number {
  const sampleAt = simulateDevice({
    faults: [],
    random: seeded(seed),
    cloneLaterMs: 0,
    driftMs: HOUR_MS,
  });
  let state = newDevice();
  let alarms = 0;
  for (let at = 0; at < READINGS; at += 1) {
    const atMs = BEGIN_MS + seed * HOUR_MS + at * INTERVAL_MS;
    const readings = sampleAt(atMs).map(({ metrics }) => ({
      observedAtMs: atMs,
      receivedAtMs: atMs,
      transport: 'mqtt',
      metrics,
    }));
    const outcome = observeDevice(state, readings);
    state = outcome.state;
    alarms += outcome.reports.filter(({ change }) => change === 'opens').length;
  }
  return alarms;
}

it('is quiet about healthy devices in their first half hour', () => {
  const alarms = Array.from({ length: DEVICES }, (_, at) => alarmsOf(at + 1));
  const alarmed = alarms.filter((count) => count > 0).length;
  expect(alarmed).toBeLessThanOrEqual(1);
});
