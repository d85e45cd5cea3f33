import { describe, expect, it } from '@jest/globals';
import { failAll, sendAll } from '../../../shared/adapters/retry.ts';
import { denied, throttled, timedOut, unavailable } from '../../support/aws-errors.ts';
import { patientTools, plentyOfTime } from '../../support/retry-tools.ts';

/** A service that answers call after call as told; the last answer stays. */
function service(...answers: readonly (readonly string[] | Error)[]) {
  const calls: (readonly string[])[] = [];
  const send = async (items: readonly string[]) => {
    const answer = answers[Math.min(calls.length, answers.length - 1)] ?? [];
    calls.push(items);
    if (answer instanceof Error) throw answer;
    return failAll(answer, 'throttled');
  };
  return { calls, send };
}

describe('sending', () => {
  it('sends nothing when there is nothing', async () => {
    const { calls, send } = service([]);
    await expect(sendAll([], send, patientTools(), plentyOfTime)).resolves.toEqual([]);
    expect(calls).toEqual([]);
  });

  it('sends what was left over again, and only that', async () => {
    const { calls, send } = service(['b', 'c'], ['c'], []);
    await expect(sendAll(['a', 'b', 'c'], send, patientTools(), plentyOfTime)).resolves.toEqual([]);
    expect(calls).toEqual([['a', 'b', 'c'], ['b', 'c'], ['c']]);
  });

  it('waits longer each time, by chance up to a bound', async () => {
    const tools = patientTools(() => 0.5);
    await sendAll(['a'], service(['a']).send, tools, plentyOfTime);
    expect(tools.sleptMs).toEqual([50, 100, 200, 400, 800]);
  });

  it.each([throttled(), unavailable(), timedOut()])('takes %s for passing', async (error) => {
    const { send } = service(error, []);
    await expect(sendAll(['a'], send, patientTools(), plentyOfTime)).resolves.toEqual([]);
  });

  it('hands back what is left in the end, with the reason', async () => {
    const { calls, send } = service(throttled());
    await expect(sendAll(['a'], send, patientTools(), plentyOfTime)).resolves.toEqual([
      { item: 'a', reason: 'ProvisionedThroughputExceededException' },
    ]);
    expect(calls).toHaveLength(6);
  });

  it.each([denied(), new TypeError('ours')])('lets %s escape at once', async (error) => {
    const { calls, send } = service(error);
    await expect(sendAll(['a'], send, patientTools(), plentyOfTime)).rejects.toBe(error);
    expect(calls).toHaveLength(1);
  });

  it('does not begin without time, nor wait beyond it', async () => {
    const { calls, send } = service(['a']);
    await expect(sendAll(['a'], send, patientTools(), () => 499)).resolves.toEqual([
      { item: 'a', reason: 'no time left' },
    ]);
    await expect(sendAll(['a'], send, patientTools(), () => 549)).resolves.toHaveLength(1);
    expect(calls).toHaveLength(1);
  });
});
