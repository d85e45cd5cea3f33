import { expect, it } from '@jest/globals';
import { countersOf, type RadioCounts, uncounted } from '../../../../shared/core/security/tally.ts';

const QUIET: RadioCounts = { joins: 0, gaps: 0, resets: 0, repeats: 0, micFailures: 0 };

const frame = (sequenceNumber: string, radio: Partial<RadioCounts> = {}) => ({
  thing: 'probe-1',
  fleet: 'acme',
  sequenceNumber,
  receivedAtMs: 1_790_000_000_000,
  bytes: 12,
  malformed: false,
  radio: { ...QUIET, ...radio },
});

const FRAMES = [
  frame('98', { gaps: 3 }),
  frame('99'),
  frame('100', { joins: 1 }),
  frame('101', { repeats: 2 }),
];

it('what the radio tells is summed once a thing', () => {
  expect(countersOf('decode', FRAMES)).toMatchObject([
    { messages: 4, radio: { joins: 1, gaps: 3, resets: 0, repeats: 2, micFailures: 0 } },
  ]);
});

it.each([
  { upTo: '', radio: { joins: 1, gaps: 3, repeats: 2 }, messages: 4 },
  { upTo: '98', radio: { joins: 1, gaps: 0, repeats: 2 }, messages: 3 },
  { upTo: '100', radio: { joins: 0, gaps: 0, repeats: 2 }, messages: 1 },
])('behind $upTo, $messages frames and their radio are left', ({ upTo, radio, messages }) => {
  const [counters] = countersOf('decode', FRAMES);
  expect(counters && uncounted(counters, upTo)).toMatchObject({ messages, radio });
});

it('nothing is left of what was counted whole', () => {
  const [counters] = countersOf('decode', FRAMES);
  expect(counters && uncounted(counters, '101')).toBeUndefined();
});

it('messages without a radio have none', () => {
  const { radio: _, ...message } = frame('7');
  expect(countersOf('ingest', [message])[0]).not.toHaveProperty('radio');
});
