import { ConditionalCheckFailedException, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { directoryKey, type Key, latestKey, profileKey } from '../../core/keys.ts';
import type { Reading } from '../../core/reading.ts';
import { type Item, toItem } from '../attributes.ts';
import { inParallel } from '../chunks.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem, keyText, putAll } from '../tables.ts';

/** Single puts in flight: enough to hide the network, few enough for its sockets. */
const WIDTH = 16;

export type DeviceTable = ReturnType<typeof deviceTable>;

/** A device as the directory knows it. */
export interface Device {
  readonly thing: string;
  readonly fleet: string;
  readonly firstSeenAtMs: number;
}

/** Fleets by thing, as far as they are known, and the things that could not be asked for. */
export interface Fleets {
  readonly known: ReadonlyMap<string, string>;
  readonly failures: readonly Failure<string>[];
}

/** Directory, profile and latest reading of devices. */
export const deviceTable = (client: Dynamo, tableName: string, tools: RetryTools) => {
  /** @returns whether it failed for now; a condition that does not hold means that there is nothing to do */
  const putUnless = async <Of>(of: Of, put: PutItemCommand, timeLeft: TimeLeft) => {
    const putOnce = async (): Promise<Failure<Of>[]> => {
      try {
        await client.send(put);
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
      return [];
    };
    return sendAll([of], putOnce, tools, timeLeft);
  };

  const putProfile = (device: Device, timeLeft: TimeLeft) =>
    putUnless(
      device,
      new PutItemCommand({
        TableName: tableName,
        Item: toItem({ ...profileKey(device.thing), ...device }),
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
      timeLeft,
    );

  const putLatest = (reading: Reading, timeLeft: TimeLeft) =>
    putUnless(
      reading,
      new PutItemCommand({
        TableName: tableName,
        Item: toItem({ ...latestKey(reading.thing, reading.kind), ...reading }),
        ConditionExpression:
          'attribute_not_exists(pk) OR observedAtMs < :at OR (observedAtMs = :at AND id < :id)',
        ExpressionAttributeValues: {
          ':at': { N: String(reading.observedAtMs) },
          ':id': { S: reading.id },
        },
      }),
      timeLeft,
    );

  return {
    /** The fleet that each of these things belongs to; a thing never seen is in neither answer. */
    async fleetsOf(things: readonly string[], timeLeft: TimeLeft): Promise<Fleets> {
      const keys = new Map(things.map((thing) => [keyText(profileKey(thing)), thing]));
      const { items, failures } = await getAll(
        client,
        tableName,
        [...keys.values()].map(profileKey),
        'fleet',
        tools,
        timeLeft,
      );
      const thingOf = (key: Key): string => keys.get(keyText(key)) ?? '';
      return {
        known: new Map(items.map((item) => [thingOf(keyOfItem(item)), fleetOf(item)])),
        failures: failures.map(({ item, reason }) => ({ item: thingOf(item), reason })),
      };
    },

    /**
     * Enters new devices: the directory's entry first, then the profile, so that who has a profile is in the
     * directory. The first profile stays.
     */
    async register(
      devices: readonly Device[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<Device>[]> {
      const entries = devices.map((device) => {
        const key = directoryKey(device.fleet, device.thing);
        return { key, device, item: toItem({ ...key, ...device }) };
      });
      const failures = (await putAll(client, tableName, entries, tools, timeLeft)).map(
        ({ item, reason }) => ({ item: item.device, reason }),
      );
      const failed = new Set(failures.map(({ item }) => item));
      const entered = devices.filter((device) => !failed.has(device));
      const later = await inParallel(entered, WIDTH, (device) => putProfile(device, timeLeft));
      return [...failures, ...later.flat()];
    },

    /**
     * Moves each device and kind on to the newest of these readings: by time of observation, and of equal times by
     * the greater id, so that the order of arrival does not matter. One write a device and kind.
     */
    async saveLatest(
      readings: readonly Reading[],
      timeLeft: TimeLeft,
    ): Promise<readonly Failure<Reading>[]> {
      const newest = new Map<string, Reading>();
      for (const reading of readings) {
        const key = keyText(latestKey(reading.thing, reading.kind));
        const other = newest.get(key);
        if (other === undefined || isNewer(reading, other)) newest.set(key, reading);
      }
      const failures = await inParallel([...newest.values()], WIDTH, (reading) =>
        putLatest(reading, timeLeft),
      );
      return failures.flat();
    },
  };
};

const fleetOf = (item: Item): string => item['fleet']?.S ?? '';

/** As DynamoDB compares: numbers by value, texts by their UTF-8 bytes (ids are ASCII). */
const isNewer = (one: Reading, other: Reading): boolean =>
  one.observedAtMs === other.observedAtMs
    ? one.id > other.id
    : one.observedAtMs > other.observedAtMs;
