/**
 * Cuts a list into runs that keep within both a count and a total size; an item above the size makes a run of its own.
 */
export function chunks<Item>(
  items: readonly Item[],
  limits: { readonly count: number; readonly bytes?: number },
  sizeOf: (item: Item) => number = () => 0,
): readonly (readonly Item[])[] {
  const runs: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const run = runs.at(-1);
    if (run === undefined || run.length === limits.count || size > room) {
      runs.push([item]);
      room = (limits.bytes ?? Number.POSITIVE_INFINITY) - size;
    } else {
      run.push(item);
      room -= size;
    }
  }
  return runs;
}

/** Runs a step over all items, `width` at a time; answers are in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  step: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += width) {
    results.push(...(await Promise.all(items.slice(at, at + width).map(step))));
  }
  return results;
}
