import { AwsError } from '../operation.ts';

const LARGEST = 250;

/** Asks for one page: where to go on, how much, and from which end. */
export interface PageRequest {
  readonly token?: string | undefined;
  readonly size?: number | undefined;
  readonly descending?: boolean | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/**
 * One page in the order of keys. The token is the last key given, so pages stay whole while items come and go.
 *
 * @throws {AwsError} `InvalidRequestException` for a token that no page gave
 */
export function page<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { token, size = LARGEST, descending = false }: PageRequest,
): Page<T> {
  const after = token === undefined ? undefined : decode(token);
  const sign = descending ? -1 : 1;
  const rest = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === undefined || compare(key, after) * sign > 0)
    .toSorted((a, b) => compare(a.key, b.key) * sign);
  const taken = rest.slice(0, size);
  const last = taken.at(-1);
  return {
    items: taken.map(({ item }) => item),
    next: last === undefined || rest.length <= size ? undefined : encode(last.key),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorts by time first: a key for what is listed in the order of creation. */
export const creationKey = (createdMs: number, name: string): string =>
  `${String(createdMs).padStart(16, '0')} ${name}`;

const encode = (key: string): string => Buffer.from(`>${key}`).toString('base64url');

function decode(token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  if (text.startsWith('>') && encode(text.slice(1)) === token) return text.slice(1);
  throw new AwsError('InvalidRequestException', `"${token}" is not a token that a page ended with`);
}
