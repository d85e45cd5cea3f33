import { describe, expect, it } from '@jest/globals';
import { measureStarts } from '../../bench/support/authorizer-start.ts';
import { measureColdStarts } from '../../bench/support/cold-start.ts';

describe('the bundles that cold starts are measured with', () => {
  it('load in the environment that the bench gives them', async () => {
    const functions = await measureColdStarts(1);
    const authorizers = await measureStarts(1);
    expect(functions.map((one) => one.function)).toEqual(['ingest', 'record']);
    for (const { bytes, emptyBytes } of functions) expect(bytes).toBeGreaterThan(emptyBytes);
    for (const { importMs } of authorizers) expect(importMs).toBeGreaterThan(0);
  });
});
