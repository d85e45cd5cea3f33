import { describe, expect, it } from '@jest/globals';
import { compileTemplate } from '../../../../local/core/sql/index.ts';
import { ENV, messageOf } from './support.ts';

/** `#{` stands for the dollar and brace of a template. */
const write = (text: string, payload: unknown = {}, variables = {}): string =>
  compileTemplate(text.replaceAll('#{', '${')).evaluate(messageOf(payload), ENV, variables);

describe('a template', () => {
  it.each([
    ['#{topic(3)}', {}, 'pump-7'],
    ['a/#{site}/b/#{n}', { site: 'north', n: 3 }, 'a/north/b/3'],
    ['no expression, $ { }', {}, 'no expression, $ { }'],
    ['#{missing}', {}, ''],
    ['#{x}', { x: null }, ''],
    ['#{x}', { x: { a: 1 } }, '{"a":1}'],
    ["#{get(x, '}')}", { x: { '}': 'brace' } }, 'brace'],
    ["#{ {'a': {'b': 1}} }", {}, '{"a":{"b":1}}'],
    ['', {}, ''],
  ])('%s', (text, payload, written) => {
    expect(write(text, payload)).toBe(written);
  });

  it('names the variables of the rule', () => {
    expect(write('#{@site}', {}, { site: 'north' })).toBe('north');
  });

  it('may be held to the variables that the rule sets', () => {
    const text = '#{@sight}'.replace('#', '$');
    expect(() => compileTemplate(text, { variables: ['site'] })).toThrow(
      "line 1, column 3: expected a variable that SET binds before, found '@sight'",
    );
  });

  it('sees a payload that is not JSON as one without fields', () => {
    expect(write('x#{a}', Buffer.from('plain'))).toBe('x');
  });
});
