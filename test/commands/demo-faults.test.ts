import { expect, it } from '@jest/globals';
import { faultNews } from '../../commands/demo-faults.ts';
import { FAULTS, type Fault } from '../../local/fleet/faults.ts';

const FACTS = { nowMs: Date.UTC(2026, 10, 22, 13), backlog: 300 };
const request = (fault: Fault) => ({
  thing: 'sensor-3',
  fault,
  metric: 'humidity',
  afterMs: 10_000,
  lastsMs: 120_000,
});

it('says what a device has sent, and what it will do from when on', () => {
  expect(faultNews(request('stuck'), 'planned', FACTS)).toEqual({
    label: 'fault',
    lines: [
      'sensor-3 has sent the 300 readings that it had buffered, so that it is known by now.',
      'From 13:00:10Z on, for 2 min, its humidity is stuck.',
    ],
  });
});

it('says of a device without a past when it is known', () => {
  const [first] = faultNews(request('stuck'), 'planned', { ...FACTS, backlog: 0 }).lines;
  expect(first).toMatch(/^sensor-3 has nothing from before to send; .* 32 readings\.$/);
});

it('says of a fault that takes its time how long that is', () => {
  expect(faultNews(request('silent'), 'planned', FACTS).lines[2]).toMatch(/quarter of an hour/);
});

it.each(FAULTS)('says when %s begins, and when it is over', (fault) => {
  const [begins] = faultNews(request(fault), 'begins', FACTS).lines;
  expect(begins).toMatch(/^sensor-3: from now on \w[^.]*\.$/);
  expect(faultNews(request(fault), 'over', FACTS).lines).toEqual([
    'sensor-3: as it should be again.',
  ]);
});
