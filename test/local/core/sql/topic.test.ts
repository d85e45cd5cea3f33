import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  basicIngest,
  createTopicIndex,
  topicFilterProblem,
  topicMatches,
} from '../../../../local/core/sql/index.ts';

describe('a topic filter', () => {
  it.each([
    ['a/#', 'a/b', true],
    ['a/#', 'a/', true],
    ['a/#', 'a', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+/c', 'a//c', true],
    ['#', 'a', true],
    ['#', '$aws/things', false],
    ['+/things', '$aws/things', false],
    ['$aws/#', '$aws/things', true],
    ['$aws/+', '$aws/things', true],
    ['a/$b/+', 'a/$b/c', true],
    ['+', '', true],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['a/b', 'a/b/c', false],
  ])('%s on topic %s gives %s', (filter, topic, matches) => {
    expect(topicMatches(filter, topic)).toBe(matches);
  });

  it.each([
    ['a/b', undefined],
    ['+/a/#', undefined],
    ['', 0],
    ['a/b#', 2],
    ['a/#/b', 3],
    ['a/b+/c', 2],
  ])('%s has its problem at %s', (filter, at) => {
    expect(topicFilterProblem(filter)?.at).toBe(at);
  });
});

describe('a Basic Ingest topic', () => {
  it('names its rule and the topic the rule sees', () => {
    expect(basicIngest('$aws/rules/telemetry/dt/a/b')).toEqual({
      rule: 'telemetry',
      topic: 'dt/a/b',
    });
    expect(basicIngest('$aws/rules/telemetry')).toEqual({ rule: 'telemetry', topic: '' });
    expect(basicIngest('dt/a')).toBeUndefined();
  });
});

const level = fc.constantFrom('a', 'b', 'c', '$x', '');
const topicArbitrary = fc.array(level, { minLength: 1, maxLength: 5 }).map((all) => all.join('/'));
const filterArbitrary = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));

describe('a topic index', () => {
  it('finds what a look at every filter finds', () => {
    fc.assert(
      fc.property(
        fc.array(filterArbitrary, { maxLength: 20 }),
        topicArbitrary,
        (filters, topic) => {
          const index = createTopicIndex<string>();
          for (const filter of filters) index.add(filter, filter);
          const expected = filters.filter((filter) => topicMatches(filter, topic));
          const byName = (a: string, b: string): number => (a < b ? -1 : 1);
          expect(index.match(topic).sort(byName)).toEqual(expected.sort(byName));
        },
      ),
    );
  });

  it('forgets what is removed, once', () => {
    const index = createTopicIndex<string>();
    index.add('a/+', 'one');
    index.add('a/+', 'two');
    expect(index.remove('a/+', 'one')).toBe(true);
    expect(index.remove('a/+', 'one')).toBe(false);
    expect(index.remove('b', 'one')).toBe(false);
    expect(index.match('a/x')).toEqual(['two']);
    expect(index.size).toBe(1);
  });
});
