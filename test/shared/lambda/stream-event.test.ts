import { expect, it } from '@jest/globals';
import { shardPlaceOf } from '../../../shared/lambda/stream-event.ts';

const record = (arrivedAtS: number) => ({
  eventID: 'shardId-000000000003:49670000000017900000002500000000000000000000000000000111',
  kinesis: { approximateArrivalTimestamp: arrivedAtS },
});

it('an event tells its shard, and when its first and last record arrived', () => {
  expect(
    shardPlaceOf({ Records: [1_790_000_000.301, 1_790_000_001, 1_790_000_007.5].map(record) }),
  ).toEqual({
    shard: 'shardId-000000000003',
    firstArrivedAtMs: 1_790_000_000_301,
    lastArrivedAtMs: 1_790_000_007_500,
  });
});

it.each([{}, { Records: [] }, { Records: [{ eventID: 'x' }] }])('%j tells no shard', (event) => {
  expect(shardPlaceOf(event)).toBeUndefined();
});
