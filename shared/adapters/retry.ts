/** What could not be done after all tries, and why; nothing is assumed written. */
export interface Failure<Item> {
  readonly item: Item;
  readonly reason: string;
}

/** Milliseconds that are left for the whole invocation. */
export type TimeLeft = () => number;

export interface RetryTools {
  readonly sleep: (ms: number) => Promise<void>;
  /** Uniform over 0 (inclusive) to 1. */
  readonly random: () => number;
}

const TRIES = 6;
const BASE_MS = 50;
const CAP_MS = 2_000;
/** A call is begun only with this much time left: enough for a slow one, and for the answer to the event source. */
const RESERVE_MS = 500;

/**
 * Sends items, and what is left over of them again, with exponential backoff and full jitter, until nothing is left,
 * the tries are used up or the time is. A passing fault of the whole call leaves all its items over; any other error
 * escapes.
 *
 * @param send  one call; answers with what it did not do
 */
export async function sendAll<Item>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<readonly Failure<Item>[]>,
  { sleep, random }: RetryTools,
  timeLeft: TimeLeft,
): Promise<readonly Failure<Item>[]> {
  if (items.length === 0) return [];
  if (timeLeft() < RESERVE_MS) return failAll(items, 'no time left');
  let left = await attempt(items, send);
  for (let tries = 1; left.length > 0 && tries < TRIES; tries += 1) {
    const waitMs = random() * Math.min(CAP_MS, BASE_MS * 2 ** tries);
    if (timeLeft() < waitMs + RESERVE_MS) break;
    await sleep(waitMs);
    left = await attempt(
      left.map(({ item }) => item),
      send,
    );
  }
  return left;
}

export const failAll = <Item>(items: readonly Item[], reason: string): Failure<Item>[] =>
  items.map((item) => ({ item, reason }));

async function attempt<Item>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<readonly Failure<Item>[]>,
): Promise<readonly Failure<Item>[]> {
  try {
    return await send(items);
  } catch (error) {
    if (!isPassing(error)) throw error;
    return failAll(items, error.name);
  }
}

const PASSING: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'RequestThrottled',
  'KMSThrottlingException',
  'KmsThrottled',
  'TransactionInProgressException',
]);

/** Throttled, failed on their side, or lost on the way: the network's errors carry no status. */
function isPassing(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const status = statusOf(error);
  if (status === undefined) return isOfNetwork(error);
  return status >= 500 || status === 429 || PASSING.has(error.name);
}

function statusOf(error: object): number | undefined {
  const metadata = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const status = 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

const isOfNetwork = (error: Error): boolean =>
  error.name === 'TimeoutError' ||
  PASSING.has(error.name) ||
  ('code' in error &&
    typeof error.code === 'string' &&
    /^(?:E[A-Z]+|ERR_HTTP2_.*)$/.test(error.code));
