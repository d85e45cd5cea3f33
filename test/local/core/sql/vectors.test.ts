import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runVectors } from '../../../../local/core/sql/index.ts';

const FILE = new URL('rule-sql.vectors.json', import.meta.url);
const vectors: unknown = JSON.parse(readFileSync(FILE, 'utf8'));

const vector = (rest: object): object => ({
  id: 'one',
  sql: "SELECT t FROM 'dt/#'",
  topic: 'dt/a',
  payload: { t: 1.5 },
  ...rest,
});

describe('the vectors of the rule SQL', () => {
  it('all pass', () => {
    const { passed, failed } = runVectors(vectors);
    expect(failed).toEqual([]);
    expect(passed.length).toBeGreaterThan(900);
  });
});

describe('a vector', () => {
  it.each([
    ['another value', { expected: { t: 2 } }, { t: 1.5 }],
    ['a number beyond the tolerance', { expected: { t: 1.4 }, tolerance: 0.01 }, { t: 1.5 }],
    ['a missing key', { expected: { t: 1.5, u: 1 } }, { t: 1.5 }],
    ['a key too many', { expected: {} }, { t: 1.5 }],
    ['a key that should be Undefined', { expected: { t: 1.5 }, undefined: ['t'] }, { t: 1.5 }],
    ['another type', { expected: { t: '1.5' } }, { t: 1.5 }],
    ['a message that should not match', { expected: null, actionsRun: false }, { t: 1.5 }],
    ['a message that should match', { topic: 'x', expected: { t: 1.5 } }, 'no action runs'],
    ['a pattern that does not fit', { expected: {}, expectedPattern: {} }, { t: 1.5 }],
    ['raw bytes', { sql: 'SELECT *', payloadBase64: '/w==', expected: {} }, { base64: '/w==' }],
  ])('fails for %s, and says what came instead', (_name, rest, actual) => {
    const { passed, failed } = runVectors({ vectors: [vector(rest)] });
    expect(passed).toEqual([]);
    expect(failed).toMatchObject([{ id: 'one', actual }]);
  });

  it('fails with the error of a statement that does not compile', () => {
    const { failed } = runVectors({ vectors: [vector({ sql: 'SELECT', expected: {} })] });
    expect(failed).toMatchObject([{ actual: expect.stringContaining('line 1, column 7') }]);
  });

  it('passes within its tolerance', () => {
    const { failed } = runVectors({
      vectors: [vector({ expected: { t: 1.49 }, tolerance: 0.02 })],
    });
    expect(failed).toEqual([]);
  });

  it.each([[null], [[]], [{}], [{ vectors: [{ id: 1 }] }], [{ vectors: [], templates: [{}] }]])(
    'is refused in a file such as %j',
    (file) => {
      expect(() => runVectors(file)).toThrow(TypeError);
    },
  );
});
