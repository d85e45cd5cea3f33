import { expect, it } from '@jest/globals';
import { createLane } from '../../../../local/runtime/event-source/lane.ts';
import type { StreamRecord } from '../../../../local/stores/stream-model.ts';

const RECORD: StreamRecord = {
  sequenceNumber: '1',
  shardId: 'shardId-000000000000',
  partitionKey: 'probe-1',
  data: new Uint8Array(),
  arrivedAtMs: 0,
};

it('a batch goes out at the end of its window, although the timer rang before the clock showed it', async () => {
  const stop = new AbortController();
  const ran = await new Promise<readonly StreamRecord[]>((resolve) => {
    const lane = createLane({
      batchSize: 100,
      windowMs: 1000,
      bytesOf: () => 1,
      // a clock that stands still: every alarm rings too early
      now: () => 0,
      sleep: () => Promise.resolve(),
      stop: stop.signal,
      run: async (records) => resolve(records),
    });
    lane.push(RECORD);
  });
  stop.abort();
  expect(ran).toEqual([RECORD]);
});
