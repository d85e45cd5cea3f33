import { type AttributeValue, type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { directoryPartitions, historyKey, profileKey, sortableMs } from '../../core/keys.ts';
import { Name, TimeMs } from '../../core/names.ts';
import { Reading } from '../../core/reading.ts';

const DAY_MS = 86_400_000;

const DirectoryEntry = z.object({ thing: Name, fleet: Name, firstSeenAtMs: TimeMs });
export type DirectoryEntry = z.infer<typeof DirectoryEntry>;

/** Inclusive bounds of the time of observation, milliseconds since the Unix epoch. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The access patterns of the tables, for whoever asks; functions only write. */
export const readSide = (
  client: DynamoDBClient,
  tables: { readonly readings: string; readonly devices: string },
) => {
  /** Items of one partition, in the order of their sort keys or against it. */
  const query = async function* (
    table: string,
    condition: string,
    values: Record<string, AttributeValue>,
    forward: boolean,
    pageSize?: number,
  ) {
    const pages = paginateQuery(
      { client, ...(pageSize === undefined ? {} : { pageSize }) },
      {
        TableName: table,
        KeyConditionExpression: condition,
        ExpressionAttributeValues: values,
        ScanIndexForward: forward,
      },
    );
    for await (const { Items = [] } of pages) yield* Items.map((item) => unmarshall(item));
  };

  return {
    /** The newest reading of each kind. */
    async latest(thing: string): Promise<Reading[]> {
      const values = { ':pk': { S: profileKey(thing).pk }, ':sk': { S: 'latest#' } };
      const items = query(tables.devices, 'pk = :pk AND begins_with(sk, :sk)', values, true);
      return await Array.fromAsync(items, (item) => Reading.parse(item));
    },

    /** The thing's readings within the range, the newest first; stop asking when you have enough. */
    async *history(
      thing: string,
      { fromMs, toMs }: TimeRange,
      pageSize = 100,
    ): AsyncGenerator<Reading> {
      for (const day of daysBackwards(fromMs, toMs)) {
        const values = {
          ':pk': { S: historyKey(thing, day, '').pk },
          ':from': { S: sortableMs(fromMs) },
          // '$' follows '#': whatever the id behind the time, it sorts before this
          ':to': { S: `${sortableMs(toMs)}$` },
        };
        const condition = 'pk = :pk AND sk BETWEEN :from AND :to';
        const items = query(tables.readings, condition, values, false, pageSize);
        for await (const item of items) yield Reading.parse(item);
      }
    },

    /** The devices of a fleet, in no order. */
    async *devices(fleet: string): AsyncGenerator<DirectoryEntry> {
      for (const partition of directoryPartitions(fleet)) {
        const values = { ':pk': { S: partition } };
        for await (const item of query(tables.devices, 'pk = :pk', values, true)) {
          yield DirectoryEntry.parse(item);
        }
      }
    },
  };
};

/** A time within each UTC day that the range touches, the last day first. */
function daysBackwards(fromMs: number, toMs: number): number[] {
  const days: number[] = [];
  for (let day = toMs - (toMs % DAY_MS); day + DAY_MS > fromMs; day -= DAY_MS) days.push(day);
  return days;
}
