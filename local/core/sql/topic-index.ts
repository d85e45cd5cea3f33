interface Node<T> {
  readonly children: Map<string, Node<T>>;
  /** Filters that end here. */
  readonly values: T[];
  /** Filters that end in `#` one level below. */
  readonly below: T[];
}

/** Values by topic filter; matching walks the filters' common levels, not the filters one by one. */
export interface TopicIndex<T> {
  readonly size: number;
  add(filter: string, value: T): void;
  /** Forgets one value under a filter, if it is there. */
  remove(filter: string, value: T): boolean;
  /** The values of all filters that match, as `topicMatches` has it. */
  match(topic: string): T[];
}

const newNode = <T>(): Node<T> => ({ children: new Map(), values: [], below: [] });

export function createTopicIndex<T>(): TopicIndex<T> {
  const root = newNode<T>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(filter, value) {
      listOf(root, filter, true)?.push(value);
      size += 1;
    },
    remove(filter, value) {
      const list = listOf(root, filter, false);
      const index = list?.indexOf(value) ?? -1;
      if (index < 0) return false;
      list?.splice(index, 1);
      size -= 1;
      return true;
    },
    match(topic) {
      const found: T[] = [];
      collect(root, topic.split('/'), 0, topic.startsWith('$'), found);
      return found;
    },
  };
}

/** Where the values of a filter are kept. */
function listOf<T>(root: Node<T>, filter: string, create: boolean): T[] | undefined {
  let node = root;
  for (const level of filter.split('/')) {
    if (level === '#') return node.below;
    const known = node.children.get(level);
    if (known === undefined && !create) return undefined;
    const next = known ?? newNode<T>();
    node.children.set(level, next);
    node = next;
  }
  return node.values;
}

/** `reserved`: a topic that begins with `$`, which no leading wildcard matches [MQTT-4.7.2-1]. */
function collect<T>(
  node: Node<T>,
  levels: readonly string[],
  at: number,
  reserved: boolean,
  found: T[],
): void {
  const level = levels[at];
  if (level === undefined) {
    found.push(...node.values);
    return;
  }
  if (!reserved) found.push(...node.below);
  const exact = node.children.get(level);
  const any = reserved ? undefined : node.children.get('+');
  if (exact !== undefined) collect(exact, levels, at + 1, false, found);
  if (any !== undefined && any !== exact) collect(any, levels, at + 1, false, found);
}
