import { type RetryTools, sendAll, type TimeLeft } from './retry.ts';

/**
 * One call, tried again with backoff while what is in its way passes.
 *
 * @throws {Error} when it did not pass in time; any other error of the call as it is
 */
export async function patiently<Result>(
  call: () => Promise<Result>,
  tools: RetryTools,
  timeLeft: TimeLeft,
): Promise<Result> {
  const results: Result[] = [];
  const once = async (): Promise<[]> => {
    results.push(await call());
    return [];
  };
  const [failure] = await sendAll([undefined], once, tools, timeLeft);
  const [result] = results;
  if (failure !== undefined || result === undefined) {
    throw new Error(`a call was not answered: ${failure?.reason}`);
  }
  return result;
}
