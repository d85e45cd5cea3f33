import type { IngestionTable } from '../../shared/adapters/detection/ingestion-table.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import { DEVICES_COUNTED } from '../../shared/core/detection/ingestion.ts';
import type { Log } from '../../shared/lambda/log.ts';
import { shardPlaceOf } from '../../shared/lambda/stream-event.ts';

const MARK_EVERY_MS = 10_000;
const HEARD_FOR_MS = 86_400_000;

interface Deps {
  readonly ingestion: IngestionTable;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Says every few seconds how far a shard was read: by that the sweep knows whether anything comes in at all. A mark that
 * fails is made up for by the next.
 */
export function marker({ ingestion, log, now }: Deps) {
  /** When a few devices were last heard. */
  const heard = new Map<string, number>();
  const marked = new Map<string, number>();

  const hear = (things: Iterable<string>, nowMs: number): void => {
    for (const [thing, atMs] of heard) if (nowMs - atMs > HEARD_FOR_MS) heard.delete(thing);
    for (const thing of things) {
      if (heard.size < DEVICES_COUNTED || heard.has(thing)) heard.set(thing, nowMs);
    }
  };

  return async (
    event: unknown,
    things: Iterable<string>,
    allDone: boolean,
    timeLeft: TimeLeft,
  ): Promise<void> => {
    const nowMs = now();
    hear(things, nowMs);
    const place = shardPlaceOf(event);
    if (place === undefined) return;
    const { shard, firstArrivedAtMs, lastArrivedAtMs } = place;
    if (nowMs - (marked.get(shard) ?? Number.NEGATIVE_INFINITY) < MARK_EVERY_MS) return;
    const arrivedAtMs = allDone ? lastArrivedAtMs : firstArrivedAtMs;
    try {
      await ingestion.mark({ shard, arrivedAtMs, readAtMs: nowMs, devices: heard.size }, timeLeft);
      marked.set(shard, nowMs);
    } catch (error) {
      log('warn', 'how far the shard was read could not be noted', { shard, error });
    }
  };
}
