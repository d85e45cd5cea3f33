import { expect, it } from '@jest/globals';
import { UsageError } from '../../commands/command.ts';
import { type FaultyDevice, readFault } from '../../commands/fault-option.ts';
import { FAULTS } from '../../local/fleet/faults.ts';

const DEVICES: readonly FaultyDevice[] = [
  ...['sensor-1', 'sensor-3'].map((thing) => ({
    thing,
    metrics: ['temperature', 'humidity', 'battery'],
    faults: FAULTS,
    intervalMs: 2000,
    afterMs: 10_000,
  })),
  {
    thing: 'radio-1',
    metrics: ['temperature'],
    faults: ['stuck', 'silent'],
    intervalMs: 5000,
    afterMs: 180_000,
  },
];
const read = (text: string) => readFault(text, DEVICES);

it.each([
  {
    text: 'stuck:sensor-3',
    fault: 'stuck',
    metric: 'temperature',
    afterMs: 10_000,
    lastsMs: 120_000,
  },
  { text: 'spike:sensor-1', fault: 'spike', metric: 'temperature', afterMs: 10_000, lastsMs: 6000 },
  { text: 'noise:sensor-3:humidity', metric: 'humidity' },
  { text: 'unit:sensor-3@45s', afterMs: 45_000, lastsMs: 120_000 },
  { text: 'drift:sensor-3:battery@1m-5m', metric: 'battery', afterMs: 60_000, lastsMs: 240_000 },
  { text: 'stuck:radio-1', metric: 'temperature', afterMs: 180_000, lastsMs: 300_000 },
  { text: 'silent:sensor-1', fault: 'silent', lastsMs: 1_200_000 },
])('reads $text', ({ text, ...wanted }) => {
  expect(read(text)).toMatchObject(wanted);
});

it.each([
  { text: 'stuck', says: 'wants <kind>:<device>[:<metric>][@<from>[-<to>]], as in stuck:sensor-3' },
  { text: 'stuck:sensor-3:temperature:x', says: 'wants <kind>:<device>' },
  { text: 'stuck:sensor-3@1s@2s', says: 'wants <kind>:<device>' },
  {
    text: 'stucked:sensor-3',
    says: "no kind of fault is called 'stucked'; there are spike, level-shift,",
  },
  { text: 'stuck:sensor-9', says: "is called 'sensor-9'; there are sensor-1, sensor-3, radio-1." },
  { text: 'clone:radio-1', says: "of radio-1 there is no 'clone'; there are stuck, silent." },
  {
    text: 'stuck:sensor-3:colour',
    says: "sensor-3 has no metric 'colour'; there are temperature, humidity,",
  },
  { text: 'clone:sensor-3:humidity', says: 'clone is of a whole device, so it is clone:sensor-3.' },
  { text: 'stuck:sensor-3@soon', says: 'times are as in @30s or @30s-3m, not @soon' },
  { text: 'stuck:sensor-3@30s-', says: 'times are as in' },
  { text: 'stuck:sensor-3@1s-2s-3s', says: 'times are as in' },
  { text: 'stuck:sensor-3@3m-30s', says: 'would be over before it begins' },
])('refuses $text, and says what would be right', ({ text, says }) => {
  expect(() => read(text)).toThrow(UsageError);
  expect(() => read(text)).toThrow(says);
});
