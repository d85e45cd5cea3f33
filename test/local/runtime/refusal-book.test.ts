import { expect, it } from '@jest/globals';
import { createRefusalBook, type Remark } from '../../../local/runtime/refusal-book.ts';

const refusal = (principal: string) => ({
  type: 'role-refusal' as const,
  principal,
  action: 'iot:Publish',
  resource: '*',
  explanation: 'no statement allows it',
});

it('keeps the newest, numbered from the first', () => {
  const book = createRefusalBook(() => 7, { kept: 3 });
  for (let count = 1; count <= 20; count += 1) book.add(refusal(`p${count}`));
  expect(book.read().map(({ number }) => number)).toEqual([18, 19, 20]);
  expect(book.read({ limit: 1 })).toEqual([{ number: 20, atMs: 7, ...refusal('p20') }]);
});

it('tells what came after a number, of whom, and to which action', () => {
  const book = createRefusalBook(() => 0);
  for (const principal of ['a', 'b', 'a']) book.add(refusal(principal));
  expect(book.read({ after: 2 }).map(({ number }) => number)).toEqual([3]);
  expect(book.read({ principal: 'a' }).map(({ number }) => number)).toEqual([1, 3]);
  expect(book.read({ action: 'iot:Connect' })).toEqual([]);
});

it('adds what somebody else knows of it, when it is known', async () => {
  const remark: Remark = async (of) => {
    if (of.type !== 'role-refusal') return undefined;
    if (of.principal === 'b') throw new Error('out of reach');
    return of.principal === 'a' ? 'cut off' : undefined;
  };
  const book = createRefusalBook(() => 0, { remark });
  for (const principal of ['a', 'b', 'c']) book.add(refusal(principal));
  await new Promise((resolve) => setImmediate(resolve));
  expect(book.read().map((entry) => entry.remark)).toEqual(['cut off', undefined, undefined]);
});
