import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { compileRule } from '../../../../local/core/sql/index.ts';
import { regexOf } from '../../../../local/core/sql/regex.ts';
import { ENV, messageOf } from './support.ts';

const evaluate = (expression: string, payload: unknown): unknown => {
  const outcome = compileRule(`SELECT VALUE ${expression} FROM 'dt/#'`).evaluate(
    messageOf(payload),
    ENV,
  );
  return outcome.matched ? outcome.value : outcome.why;
};

describe('a regular expression', () => {
  it.each([
    ["regexp_replace('2025-06', '(?<y>[0-9]+)-([0-9]+)', '$2/$1')", '06/2025'],
    ["regexp_replace('a', 'a', '\\$1')", '$1'],
    ["regexp_replace('a', 'a', '$7')", undefined],
    ["regexp_replace('Ab', '(?i)B', 'x')", 'Ax'],
    ["regexp_substr('line\nnext', '.+')", 'line'],
    ["regexp_matches('😀', '^.$')", true],
    ["regexp_matches('a\nb', 'a.b')", false],
    ["regexp_matches('x', p)", true],
  ])('%s gives %s', (expression, value) => {
    expect(evaluate(expression, { p: '^[a-z]$' })).toBe(value);
  });

  it.each([['(a+)+$'], ['(a|aa)+$'], ['a*a*a*a*a*a*b'], ['([a-zA-Z]+)*!'], ['(.*,){20}x']])(
    '%s takes no time to speak of over 120,000 characters, even if the payload brings it',
    (pattern) => {
      const started = performance.now();
      evaluate('regexp_matches(text, pattern)', { text: `${'a'.repeat(120_000)}!,`, pattern });
      evaluate("regexp_replace(text, pattern, '')", { text: `${'a'.repeat(120_000)}!,`, pattern });
      expect(performance.now() - started).toBeLessThan(5_000);
    },
  );

  it('of more than 1,000 characters is not taken', () => {
    expect(evaluate('regexp_matches(a, a)', { a: 'a'.repeat(1_000) })).toBe(true);
    expect(evaluate('regexp_matches(a, a)', { a: 'a'.repeat(1_001) })).toBeUndefined();
  });

  it('finds the same on the fast way and on RE2', () => {
    const atom = fc.constantFrom('a', 'b', '.', '\\d', '\\w', '[ab]', '[^a]', '[0-9]', '\\.', '-');
    const quantifier = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '{2}', '{1,3}', '{1,}?');
    const pattern = fc
      .tuple(
        fc.constantFrom('', '^'),
        fc.array(
          fc.tuple(atom, quantifier).map(([a, b]) => a + b),
          { minLength: 1, maxLength: 4 },
        ),
        fc.constantFrom('', '$'),
      )
      .map(([start, atoms, end]) => start + atoms.join('') + end);
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '-', '\n', 'é', '😀') });
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const matcher = RE2JS.compile(source).matcher(subject);
        expect(regexOf(source)?.find(subject)).toBe(
          matcher.find() ? (matcher.group() ?? '') : undefined,
        );
      }),
      { numRuns: 500 },
    );
  });
});
