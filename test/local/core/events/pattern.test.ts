import { describe, expect, it } from '@jest/globals';
import { compilePattern } from '../../../../local/core/events/pattern.ts';

interface Case {
  readonly pattern: unknown;
  readonly yes: readonly unknown[];
  readonly no: readonly unknown[];
}

describe('a pattern', () => {
  it.each<Case>([
    {
      pattern: { a: ['x'] },
      yes: [{ a: 'x' }, { a: ['y', 'x'] }],
      no: [{ a: 'y' }, {}, { a: { x: 1 } }, null, 'x'],
    },
    {
      pattern: { a: [1, true, null, ''] },
      yes: [{ a: 1 }, { a: true }, { a: null }, { a: '' }],
      no: [{ a: '1' }, { a: false }, { a: 0 }, {}],
    },
    {
      pattern: { a: ['x'], b: ['y'] },
      yes: [{ a: 'x', b: 'y', c: 1 }],
      no: [{ a: 'x' }, { b: 'y' }],
    },
    {
      pattern: { a: { b: { c: [1] } } },
      yes: [{ a: { b: { c: 1 } } }, { a: [{ b: { c: 2 } }, { b: { c: 1 } }] }],
      no: [{ a: { b: 1 } }, { a: 1 }],
    },
    { pattern: { a: [{ prefix: 'eu-' }] }, yes: [{ a: 'eu-1' }], no: [{ a: 'us-1' }, { a: 1 }] },
    {
      pattern: { a: [{ prefix: { 'equals-ignore-case': 'EU' } }] },
      yes: [{ a: 'eu-1' }, { a: 'Eu' }],
      no: [{ a: 'us' }],
    },
    { pattern: { a: [{ suffix: '.png' }] }, yes: [{ a: 'x.png' }], no: [{ a: 'x.jpg' }] },
    {
      pattern: { a: [{ 'equals-ignore-case': 'AbC' }] },
      yes: [{ a: 'abc' }, { a: 'ABC' }],
      no: [{ a: 'abcd' }],
    },
    {
      pattern: { a: [{ 'anything-but': 'x' }] },
      yes: [{ a: 'y' }, { a: 1 }, { a: ['x', 'y'] }],
      no: [{ a: 'x' }, {}],
    },
    {
      pattern: { a: [{ 'anything-but': ['x', 1] }] },
      yes: [{ a: 'y' }],
      no: [{ a: 'x' }, { a: 1 }],
    },
    {
      pattern: { a: [{ 'anything-but': { prefix: ['x', 'y'] } }] },
      yes: [{ a: 'z1' }],
      no: [{ a: 'x1' }, { a: 'y1' }],
    },
    {
      pattern: { a: [{ 'anything-but': { 'equals-ignore-case': 'X' } }] },
      yes: [{ a: 'y' }],
      no: [{ a: 'x' }],
    },
    {
      pattern: { a: [{ numeric: ['>', 0, '<=', 5] }] },
      yes: [{ a: 5 }, { a: 0.1 }],
      no: [{ a: 0 }, { a: 6 }, { a: '3' }],
    },
    { pattern: { a: [{ numeric: ['=', 3.0] }] }, yes: [{ a: 3 }], no: [{ a: 4 }] },
    {
      pattern: { a: [{ exists: true }] },
      yes: [{ a: null }, { a: 0 }],
      no: [{}, { a: { b: 1 } }, { a: [] }],
    },
    { pattern: { a: [{ exists: false }] }, yes: [{}, { a: { b: 1 } }], no: [{ a: 0 }] },
    {
      pattern: { a: { b: [{ exists: false }] } },
      yes: [{}, { a: {} }, { a: 1 }],
      no: [{ a: { b: 1 } }],
    },
    { pattern: { $or: [{ a: [1] }, { b: [2] }] }, yes: [{ a: 1 }, { b: 2 }], no: [{ a: 2 }] },
    {
      pattern: { a: { $or: [{ b: [1] }, { c: [2] }] }, d: [3] },
      yes: [{ a: { c: 2 }, d: 3 }],
      no: [{ a: { c: 2 } }],
    },
    { pattern: { a: ['x', { prefix: 'y' }] }, yes: [{ a: 'x' }, { a: 'yz' }], no: [{ a: 'z' }] },
    { pattern: { toString: [{ exists: true }] }, yes: [{ toString: 1 }], no: [{}] },
  ])('$pattern tells apart', ({ pattern, yes, no }) => {
    const matches = compilePattern(pattern);
    expect({ yes: yes.map(matches), no: no.map(matches) }).toEqual({
      yes: yes.map(() => true),
      no: no.map(() => false),
    });
  });

  it.each([
    {
      pattern: { a: [{ cidr: '10.0.0.0/8' }] },
      says: 'a[0].cidr: the operator cidr is not supported',
    },
    {
      pattern: { a: { b: [{ wildcard: '*.x' }] } },
      says: 'a.b[0].wildcard: the operator wildcard is not supported',
    },
    {
      pattern: { a: [{ 'anything-but': { wildcard: '*' } }] },
      says: 'a[0].anything-but.wildcard: the operator wildcard is not supported',
    },
    { pattern: { a: 'x' }, says: 'a.: takes an object' },
    { pattern: { a: [] }, says: 'a: is an empty list, which matches nothing' },
    { pattern: {}, says: 'pattern: is empty' },
    { pattern: [], says: 'pattern: takes an object' },
    { pattern: { a: [{ exists: 'yes' }] }, says: 'a[0].exists: takes true or false' },
    {
      pattern: { a: [{ numeric: ['>'] }] },
      says: 'a[0].numeric: takes one comparison or two: [">", 0, "<=", 5]',
    },
    { pattern: { a: [{ numeric: ['!', 1] }] }, says: 'a[0].numeric: ! 1 is no comparison' },
    { pattern: { a: [{ prefix: 'x', suffix: 'y' }] }, says: 'a[0]: takes exactly one operator' },
    { pattern: { $or: [{ a: [1] }] }, says: '$or: takes a list of two or more patterns' },
  ])('$pattern is refused', ({ pattern, says }) => {
    expect(() => compilePattern(pattern)).toThrow(says);
  });
});
