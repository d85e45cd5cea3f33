import { describe, expect, it } from '@jest/globals';
import { TtlCache } from '../../../shared/core/ttl-cache.ts';

describe('a cache', () => {
  it('forgets an entry when its time is over', () => {
    const cache = new TtlCache<string, number>(2, 100);
    cache.set('a', 1, 1_000);
    expect([cache.get('a', 1_099), cache.get('a', 1_100)]).toEqual([1, undefined]);
  });

  it('makes room by giving up the entry that was set longest ago', () => {
    const cache = new TtlCache<string, number>(2, 100);
    for (const key of ['a', 'b', 'a', 'c']) cache.set(key, 1, 0);
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 1))).toEqual([1, undefined, 1]);
  });
});
