import { describe, expect, it } from '@jest/globals';
import { clampKeepAliveSeconds, LAPTOP_LIMITS } from '../../../../local/core/mqtt/limits.ts';
import {
  reservedFilterProblem,
  reservedPublishProblem,
} from '../../../../local/core/mqtt/reserved.ts';
import { createSubscriptionTrie } from '../../../../local/core/mqtt/subscription-trie.ts';
import {
  basicIngest,
  filterMatches,
  parseFilter,
  topicProblem,
} from '../../../../local/core/mqtt/topic.ts';

const levels = (count: number): string => Array.from({ length: count }, (_, n) => n).join('/');

describe('a topic', () => {
  it.each([
    'a',
    '/',
    'a//b',
    'ä€😀',
    levels(8),
    'x'.repeat(256),
    `$aws/rules/telemetry/${levels(8)}`,
    `$aws/rules/telemetry/${'x'.repeat(256)}`,
  ])('%s can be published to', (topic) => {
    expect(topicProblem(topic, LAPTOP_LIMITS)).toBeUndefined();
  });

  it.each([
    ['', /empty/],
    ['a\0b', /U\+0000/],
    ['a/+', /wildcard/],
    ['#', /wildcard/],
    [levels(9), /8 forward slashes; at most 7/],
    ['x'.repeat(257), /257 bytes/],
    ['€'.repeat(86), /258 bytes/],
    [`$aws/rules/telemetry/${levels(9)}`, /8 forward slashes/],
  ])('%j cannot', (topic, problem) => {
    expect(topicProblem(topic, LAPTOP_LIMITS)).toMatch(problem);
  });

  it('of Basic Ingest names its rule', () => {
    expect(basicIngest('$aws/rules/telemetry/dt/f/t')).toEqual({
      rule: 'telemetry',
      rest: 'dt/f/t',
    });
    expect(basicIngest('$aws/rules/telemetry')).toBeUndefined();
    expect(basicIngest('$aws/rules/a-b/c')).toBeUndefined();
  });
});

describe('a filter', () => {
  it.each([
    ['a/+/b/#', { filter: 'a/+/b/#' }],
    ['#', { filter: '#' }],
    ['+', { filter: '+' }],
    ['$share/group/a/#', { filter: 'a/#', group: 'group' }],
    [`$share/${'g'.repeat(128)}/${levels(8)}`, { filter: levels(8), group: 'g'.repeat(128) }],
  ])('%s can be subscribed to', (text, parsed) => {
    expect(parseFilter(text, LAPTOP_LIMITS)).toEqual(parsed);
  });

  it.each([
    ['', /empty/],
    ['a/#/b', /#/],
    ['a#', /#/],
    ['a/b+', /\+/],
    ['$share//a', /names no share/],
    ['$share/g', /empty/],
    ['$share/g/', /empty/],
    ['$share/g+/a', /wildcard in its share name/],
    [`$share/${'g'.repeat(129)}/a`, /129 characters/],
    [levels(9), /slashes/],
  ])('%j cannot', (text, problem) => {
    expect(parseFilter(text, LAPTOP_LIMITS)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it.each([
    ['sensor/#', 'sensor/1', true],
    ['sensor/#', 'sensor/1/2', true],
    ['sensor/#', 'sensor', false],
    ['sensor/#', 'sensor/', true],
    ['+', 'a', true],
    ['+', 'a/b', false],
    ['+/b', 'a/b', true],
    ['a/+', 'a/', true],
    ['a/+', 'a', false],
    ['#', '$aws/events/x', false],
    ['+/events/x', '$aws/events/x', false],
    ['$aws/#', '$aws/events/x', true],
    ['$aws/+/x', '$aws/events/x', true],
    ['a/$b', 'a/$b', true],
    ['a/+', 'a/$b', true],
  ])('%s against %s: %s', (filter, topic, expected) => {
    expect(filterMatches(filter, topic)).toBe(expected);
  });
});

function* words(letters: readonly string[], longest: number): Generator<string> {
  for (const letter of letters) {
    yield letter;
    if (longest > 1) for (const rest of words(letters, longest - 1)) yield `${letter}/${rest}`;
  }
}

it('finds in the trie what matches one by one: all filters of 4 levels against all topics', () => {
  const filters = [...words(['a', 'b', '+', '#', '$x'], 4)].filter(
    (filter) => !('problem' in parseFilter(filter, LAPTOP_LIMITS)),
  );
  const trie = createSubscriptionTrie<string>();
  for (const filter of filters) trie.add(filter, 'key', filter);
  for (const topic of words(['a', 'b', '', '$x'], 4)) {
    const expected = filters.filter((filter) => filterMatches(filter, topic));
    expect(new Set(trie.match(topic))).toEqual(new Set(expected));
  }
  for (const filter of filters) trie.remove(filter, 'key');
  expect(trie.match('a/b')).toEqual([]);
});

it.each([
  ['$aws/things/t/shadow/update', /Device Shadow/],
  ['$aws/things/t/shadow/name/n/get', /Device Shadow/],
  ['$aws/things/t/jobs/start-next', /AWS IoT Jobs/],
  ['$aws/things/t/defender/metrics/json', /Device Defender/],
  ['$aws/certificates/create/json', /fleet provisioning/],
  ['$aws/events/presence/connected/t', /only the service/],
  ['$aws/rules/telemetry', /Basic Ingest/],
  ['$aws/else', /reserved/],
  ['$SYS/x', /reserved/],
])('%s is refused to publishers by name', (topic, problem) => {
  expect(reservedPublishProblem(topic)).toMatch(problem);
});

it('lets publishers use Basic Ingest, and subscribers the events', () => {
  expect(reservedPublishProblem('$aws/rules/telemetry/dt/x')).toBeUndefined();
  expect(reservedFilterProblem('$aws/events/#')).toBeUndefined();
  expect(reservedFilterProblem('$aws/rules/telemetry/#')).toMatch(/never to subscribers/);
  expect(reservedFilterProblem('$aws/things/t/jobs/#')).toMatch(/AWS IoT Jobs/);
});

it.each([
  [0, 1200],
  [1, 30],
  [29, 30],
  [30, 30],
  [77, 77],
  [1200, 1200],
  [1201, 1200],
  [65535, 1200],
])('makes a keep-alive of %i s one of %i s', (asked, given) => {
  expect(clampKeepAliveSeconds(asked, LAPTOP_LIMITS)).toBe(given);
});
