import { firstTimeKey, historyKey, type Key } from '../../core/keys.ts';
import type { Reading } from '../../core/reading.ts';
import { envelopeId } from '../../core/reading-id.ts';
import { toItem } from '../attributes.ts';
import type { Failure, RetryTools, TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem, keyText, type Put, putAll } from '../tables.ts';

const DAY_S = 86_400;

export type ReadingTable = ReturnType<typeof readingTable>;

interface Row extends Put {
  readonly readings: readonly Reading[];
}

/**
 * History by thing and day, one item a reading, aging out by `expiresAt`. A reading put again replaces itself: its
 * key is its thing, its time of observation and its id.
 *
 * @param historyDays  how long a reading is kept, from its observation
 */
export const readingTable = (
  client: Dynamo,
  tableName: string,
  historyDays: number,
  tools: RetryTools,
) => {
  const expiresAt = (observedAtMs: number): number =>
    Math.floor(observedAtMs / 1000) + historyDays * DAY_S;

  return {
    /**
     * Gives readings the time they were first given. A reading without a trusted time of its own was observed, for
     * all we know, when it was received; if its device resends it, its id is the same but that time is another, and
     * history would hold it twice. So the first such time is kept under the id, before the reading is.
     * What has its own time, or an id that no resend repeats, passes as it is.
     */
    async settleTimes(
      readings: readonly Reading[],
      timeLeft: TimeLeft,
    ): Promise<{
      readonly settled: ReadonlyMap<Reading, Reading>;
      readonly failures: readonly Failure<Reading>[];
    }> {
      const doubtful = Map.groupBy(readings.filter(isTimeOfReceipt), (reading) =>
        keyText(timeKey(reading)),
      );
      const known = await getAll(
        client,
        tableName,
        [...doubtful.values()].flatMap(([first]) => (first === undefined ? [] : [timeKey(first)])),
        'observedAtMs',
        tools,
        timeLeft,
      );
      const times = new Map(
        known.items.map((item) => [keyText(keyOfItem(item)), Number(item['observedAtMs']?.N)]),
      );
      const unasked = new Map(known.failures.map(({ item, reason }) => [keyText(item), reason]));
      const claims = [...doubtful].flatMap(([key, [first]]) =>
        first === undefined || times.has(key) || unasked.has(key) ? [] : [claimOf(first)],
      );
      for (const { key, observedAtMs } of claims) times.set(keyText(key), observedAtMs);
      const unclaimed = await putAll(client, tableName, claims, tools, timeLeft);
      const lost = new Map([
        ...unasked,
        ...unclaimed.map(({ item, reason }) => [keyText(item.key), reason] as const),
      ]);
      return settle(readings, times, lost);
    },

    /** Writes readings; of several with one key the last is kept, and fails for all of them. */
    async write(
      readings: readonly Reading[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<Reading>[]> {
      const rows = Map.groupBy(readings, (reading) => keyText(rowKey(reading)));
      const puts = [...rows.values()].flatMap((same): Row[] => {
        const reading = same.at(-1);
        return reading === undefined ? [] : [{ ...rowOf(reading), readings: same }];
      });
      const failures = await putAll(client, tableName, puts, tools, timeLeft);
      return failures.flatMap(({ item, reason }) =>
        item.readings.map((reading) => ({ item: reading, reason })),
      );
    },
  };

  function rowOf(reading: Reading): Put {
    const key = rowKey(reading);
    const item = toItem({ ...key, ...reading, expiresAt: expiresAt(reading.observedAtMs) });
    return { key, item };
  }

  function claimOf(reading: Reading): Put & { readonly observedAtMs: number } {
    const key = timeKey(reading);
    const { observedAtMs } = reading;
    const item = toItem({ ...key, observedAtMs, expiresAt: expiresAt(observedAtMs) });
    return { key, item, observedAtMs };
  }
};

const rowKey = ({ thing, observedAtMs, id }: Reading): Key => historyKey(thing, observedAtMs, id);
const timeKey = ({ thing, id }: Reading): Key => firstTimeKey(thing, id);

/** Whether a resend of the same reading would bring another time with it. */
const isTimeOfReceipt = ({ id, thing, kind, raw, observedAtMs, receivedAtMs }: Reading): boolean =>
  observedAtMs === receivedAtMs && id !== envelopeId({ thing, kind, ...raw });

function settle(
  readings: readonly Reading[],
  times: ReadonlyMap<string, number>,
  lost: ReadonlyMap<string, string>,
): { readonly settled: ReadonlyMap<Reading, Reading>; readonly failures: Failure<Reading>[] } {
  const settled = new Map<Reading, Reading>();
  const failures: Failure<Reading>[] = [];
  for (const reading of readings) {
    const key = isTimeOfReceipt(reading) ? keyText(timeKey(reading)) : '';
    const reason = lost.get(key);
    const observedAtMs = times.get(key) ?? reading.observedAtMs;
    if (reason !== undefined) failures.push({ item: reading, reason });
    else if (observedAtMs === reading.observedAtMs) settled.set(reading, reading);
    else settled.set(reading, { ...reading, observedAtMs });
  }
  return { settled, failures };
}
