interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  /** Subscribers whose filter ends here. */
  readonly here: Map<string, Value>;
}

const node = <Value>(): Node<Value> => ({ children: new Map(), here: new Map() });

export interface SubscriptionTrie<Value> {
  /** Sets what `key` holds under a filter. */
  add(filter: string, key: string, value: Value): void;
  get(filter: string, key: string): Value | undefined;
  remove(filter: string, key: string): void;
  /** Values of every filter that matches the topic, by AWS's rules (see `filterMatches`). */
  match(topic: string): Value[];
}

/** Subscriptions by filter level, so that a match costs by the topic's depth and not by their number. */
export function createSubscriptionTrie<Value>(): SubscriptionTrie<Value> {
  const root = node<Value>();

  const find = (filter: string): Node<Value> | undefined => {
    let at: Node<Value> | undefined = root;
    for (const level of filter.split('/')) at = at?.children.get(level);
    return at;
  };

  return {
    add(filter, key, value) {
      let at = root;
      for (const level of filter.split('/')) {
        const next = at.children.get(level) ?? node<Value>();
        at.children.set(level, next);
        at = next;
      }
      at.here.set(key, value);
    },
    get: (filter, key) => find(filter)?.here.get(key),
    remove: (filter, key) => {
      prune(root, filter.split('/'), 0, key);
    },
    match(topic) {
      const found: Value[] = [];
      if (root.children.size > 0) collect(root, topic.split('/'), 0, found);
      return found;
    },
  };
}

/** @returns whether the node is of no use any more. */
function prune<Value>(at: Node<Value>, levels: string[], depth: number, key: string): boolean {
  const level = levels[depth];
  if (level === undefined) at.here.delete(key);
  else {
    const next = at.children.get(level);
    if (next !== undefined && prune(next, levels, depth + 1, key)) at.children.delete(level);
  }
  return at.here.size === 0 && at.children.size === 0;
}

function collect<Value>(at: Node<Value>, levels: string[], depth: number, found: Value[]): void {
  const level = levels[depth];
  if (level === undefined) {
    for (const value of at.here.values()) found.push(value);
    return;
  }
  const literal = at.children.get(level);
  if (literal !== undefined) collect(literal, levels, depth + 1, found);
  if (depth === 0 && level.startsWith('$')) return;
  const hash = at.children.get('#');
  if (hash !== undefined) for (const value of hash.here.values()) found.push(value);
  const plus = at.children.get('+');
  if (plus !== undefined) collect(plus, levels, depth + 1, found);
}
