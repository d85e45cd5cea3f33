import { expect, it } from '@jest/globals';
import { readBatchResponse } from '../../../../local/runtime/event-source/batch-response.ts';

const batch = new Set(['1', '2', '3']);

it.each([
  null,
  undefined,
  {},
  { batchItemFailures: [] },
  { batchItemFailures: null },
  { other: [{ itemIdentifier: '1' }] },
])('%j is a success', (response) => {
  expect(readBatchResponse(response, batch)).toEqual({ kind: 'success' });
});

it.each([
  { batchItemFailures: [{ itemIdentifier: '' }] },
  { batchItemFailures: [{ itemIdentifier: null }] },
  { batchItemFailures: [{ itemIdentifer: '1' }] },
  { batchItemFailures: [{ itemIdentifier: '9' }] },
  { batchItemFailures: [{ itemIdentifier: '1' }, { itemIdentifier: '' }] },
  { batchItemFailures: ['1'] },
  { batchItemFailures: '1' },
  'OK',
  200,
])('%j fails the whole batch', (response) => {
  expect(readBatchResponse(response, batch)).toEqual({ kind: 'failure' });
});

it('tells which items failed', () => {
  const response = { batchItemFailures: [{ itemIdentifier: '3' }, { itemIdentifier: '2' }] };
  expect(readBatchResponse(response, batch)).toEqual({
    kind: 'partial',
    failed: new Set(['2', '3']),
  });
});
