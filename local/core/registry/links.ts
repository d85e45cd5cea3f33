/** Pairs that can be asked for from both sides, in the order they were made. */
export interface Links {
  /** @returns false where the pair is there already */
  readonly add: (left: string, right: string) => boolean;
  /** @returns false where there is no such pair */
  readonly remove: (left: string, right: string) => boolean;
  readonly has: (left: string, right: string) => boolean;
  readonly rightsOf: (left: string) => readonly string[];
  readonly leftsOf: (right: string) => readonly string[];
  readonly pairs: () => [string, string][];
}

type Side = Map<string, Set<string>>;

const put = (side: Side, key: string, value: string): void => {
  const values = side.get(key) ?? new Set<string>();
  side.set(key, values.add(value));
};

const drop = (side: Side, key: string, value: string): void => {
  const values = side.get(key);
  values?.delete(value);
  if (values?.size === 0) side.delete(key);
};

export function createLinks(pairs: readonly (readonly [string, string])[] = []): Links {
  const right: Side = new Map();
  const left: Side = new Map();
  const has = (a: string, b: string) => right.get(a)?.has(b) ?? false;
  const links: Links = {
    add: (a, b) => {
      if (has(a, b)) return false;
      put(right, a, b);
      put(left, b, a);
      return true;
    },
    remove: (a, b) => {
      if (!has(a, b)) return false;
      drop(right, a, b);
      drop(left, b, a);
      return true;
    },
    has,
    rightsOf: (a) => [...(right.get(a) ?? [])],
    leftsOf: (b) => [...(left.get(b) ?? [])],
    pairs: () => [...right].flatMap(([a, bs]) => [...bs].map((b): [string, string] => [a, b])),
  };
  for (const [a, b] of pairs) links.add(a, b);
  return links;
}
