import { gunzipSync } from 'node:zlib';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Key } from '../../core/keys.ts';
import { Assignment, type Assignments, DeviceEntry, Eui } from '../../core/lorawan/assignment.ts';
import { CodecPointer, CodecVersion } from '../../core/lorawan/codec-version.ts';
import type { Item } from '../attributes.ts';
import { type Failure, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import { type Dynamo, getAll, keyOfItem, keyText } from '../tables.ts';

/*
 * What is under which key; each item has its content as JSON in `body`.
 *
 *   assignments      | profile#<name>, joinEui#<eui>, range#<from>#<to>, other   Assignment
 *   device#<id>      | entry                                                     DeviceEntry
 *   codec#<name>     | pointer                                                   CodecPointer
 *   codec#<name>     | version#<6 digits>                                        CodecVersion, source gzipped in base64
 *   codec#<name>     | vectors#<6 digits>                                        vectors it was put with, likewise
 *   key#<devEui>     | <purpose>                                                 ciphertext of KMS, base64
 *   device#<devEui>  | downlinks                                                 `sealed`: counter of envelopes sent to it
 */
export const ASSIGNMENTS = 'assignments';
export const deviceKey = (id: string): Key => ({ pk: `device#${id}`, sk: 'entry' });
export const downlinksKey = (id: string): Key => ({ pk: `device#${id}`, sk: 'downlinks' });
export const pointerKey = (name: string): Key => ({ pk: `codec#${name}`, sk: 'pointer' });
export const versionKey = (name: string, version: number): Key => ({
  pk: `codec#${name}`,
  sk: `version#${String(version).padStart(6, '0')}`,
});
export const vectorsKey = (name: string, version: number): Key => ({
  pk: `codec#${name}`,
  sk: `vectors#${String(version).padStart(6, '0')}`,
});
export const payloadKeyKey = (devEui: string, purpose: string): Key => ({
  pk: `key#${devEui}`,
  sk: purpose,
});

/** What was found under keys of our own, by the text of the key, and the keys that could not be asked for. */
interface Found<Value> {
  readonly found: ReadonlyMap<string, Value>;
  readonly failures: readonly Failure<string>[];
}

export type CodecTable = ReturnType<typeof codecTable>;

/** A version of a codec that is wanted. */
export interface VersionId {
  readonly name: string;
  readonly version: number;
}

export const versionText = ({ name, version }: VersionId): string => `${name}@${version}`;

/** Codecs, and which device has which, for who decodes: it never writes here. */
export const codecTable = (client: Dynamo, tableName: string, tools: RetryTools) => {
  async function find<Value>(
    keys: ReadonlyMap<string, Key>,
    parse: (body: unknown) => Value,
    timeLeft: TimeLeft,
  ): Promise<Found<Value>> {
    const names = new Map([...keys].map(([name, key]) => [keyText(key), name]));
    const nameOf = (key: Key): string => names.get(keyText(key)) ?? '';
    const { items, failures } = await getAll(
      client,
      tableName,
      [...keys.values()],
      'body',
      tools,
      timeLeft,
    );
    return {
      found: new Map(items.map((item) => [nameOf(keyOfItem(item)), parse(bodyOf(item))])),
      failures: failures.map(({ item, reason }) => ({ item: nameOf(item), reason })),
    };
  }

  const keysOf = <Of>(
    list: readonly Of[],
    nameOf: (one: Of) => string,
    keyOf: (one: Of) => Key,
  ): Map<string, Key> => new Map(list.map((one) => [nameOf(one), keyOf(one)]));

  const same = (text: string): string => text;

  return {
    /**
     * All assignments that hold for many devices.
     *
     * @throws {Error} when they cannot be had now: without them nothing can be decoded
     */
    async assignments(timeLeft: TimeLeft): Promise<Assignments> {
      const items: Item[] = [];
      const ask = async (): Promise<Failure<string>[]> => {
        items.length = 0;
        let from: Item | undefined;
        do {
          const answer = await client.send(
            new QueryCommand({
              TableName: tableName,
              KeyConditionExpression: 'pk = :pk',
              ExpressionAttributeValues: { ':pk': { S: ASSIGNMENTS } },
              ExclusiveStartKey: from,
            }),
          );
          items.push(...(answer.Items ?? []));
          from = answer.LastEvaluatedKey;
        } while (from !== undefined);
        return [];
      };
      const [failure] = await sendAll([ASSIGNMENTS], ask, tools, timeLeft);
      if (failure !== undefined) throw new Error(`assignments of codecs: ${failure.reason}`);
      return assignmentsOf(items);
    },

    entries: (ids: readonly string[], timeLeft: TimeLeft): Promise<Found<DeviceEntry>> =>
      find(keysOf(ids, same, deviceKey), (body) => DeviceEntry.parse(body), timeLeft),

    pointers: (names: readonly string[], timeLeft: TimeLeft): Promise<Found<CodecPointer>> =>
      find(keysOf(names, same, pointerKey), (body) => CodecPointer.parse(body), timeLeft),

    /** Versions by `name@version`, their sources unpacked. */
    versions: (ids: readonly VersionId[], timeLeft: TimeLeft): Promise<Found<CodecVersion>> =>
      find(
        keysOf(ids, versionText, ({ name, version }) => versionKey(name, version)),
        unpackVersion,
        timeLeft,
      ),

    /** Ciphertexts by DevEUI. */
    payloadKeys: (
      devEuis: readonly string[],
      purpose: string,
      timeLeft: TimeLeft,
    ): Promise<Found<string>> =>
      find(
        keysOf(devEuis, same, (devEui) => payloadKeyKey(devEui, purpose)),
        (body) => z.object({ ciphertext: z.string() }).parse(body).ciphertext,
        timeLeft,
      ),
  };
};

const bodyOf = (item: Item): unknown => JSON.parse(item['body']?.S ?? 'null');

/** Sources have 512 KiB at most; what unpacks to more is none of ours. */
const UNPACKED = { maxOutputLength: 1024 * 1024 };

export function unpackVersion(body: unknown): CodecVersion {
  const { source, ...version } = CodecVersion.parse(body);
  return { ...version, source: gunzipSync(Buffer.from(source, 'base64'), UNPACKED).toString() };
}

/** An item that is no assignment is no reason to decode nothing: it is left out. */
function assignmentsOf(items: readonly Item[]): Assignments {
  const profiles = new Map<string, Assignment>();
  const joinEuis = new Map<string, Assignment>();
  const ranges: { from: string; to: string; assignment: Assignment }[] = [];
  let other: Assignment | undefined;
  for (const item of items) {
    const { data: assignment } = Assignment.safeParse(bodyOf(item));
    const [kind, first = '', last = ''] = (item['sk']?.S ?? '').split('#');
    if (assignment === undefined) continue;
    if (kind === 'profile') profiles.set(first, assignment);
    else if (kind === 'joinEui') joinEuis.set(first, assignment);
    else if (kind === 'range' && isEui(first) && isEui(last)) {
      ranges.push({ from: first, to: last, assignment });
    } else if (kind === 'other') other = assignment;
  }
  return { profiles, joinEuis, ranges, other };
}

const isEui = (text: string): boolean => Eui.safeParse(text).success;
