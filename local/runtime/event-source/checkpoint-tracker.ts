/** How far a shard is done with, when its records are finished out of order. */
export interface CheckpointTracker {
  /** Records in the order of the shard. */
  readonly add: (sequenceNumber: string) => void;
  /** @returns the last record before which none is open, when that has moved */
  readonly done: (sequenceNumbers: readonly string[]) => string | undefined;
  readonly open: () => number;
}

export function createCheckpointTracker(): CheckpointTracker {
  let order: string[] = [];
  let first = 0;
  const finished = new Set<string>();

  const drop = (): void => {
    if (first < 1000 || first * 2 < order.length) return;
    order = order.slice(first);
    first = 0;
  };

  return {
    add: (sequenceNumber) => void order.push(sequenceNumber),
    done(sequenceNumbers) {
      for (const sequenceNumber of sequenceNumbers) finished.add(sequenceNumber);
      let last: string | undefined;
      for (
        let next = order[first];
        next !== undefined && finished.delete(next);
        next = order[first]
      ) {
        last = next;
        first += 1;
      }
      drop();
      return last;
    },
    open: () => order.length - first - finished.size,
  };
}
