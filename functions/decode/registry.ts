import type { CodecTable, VersionId } from '../../shared/adapters/lorawan/codec-table.ts';
import { versionText } from '../../shared/adapters/lorawan/codec-table.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import type { Assignment, Assignments, DeviceEntry } from '../../shared/core/lorawan/assignment.ts';
import { assignmentFor, choiceFor } from '../../shared/core/lorawan/assignment.ts';
import { type CodecPointer, versionFor } from '../../shared/core/lorawan/codec-version.ts';
import { isFormat } from '../../shared/core/lorawan/formats/index.ts';
import type { Uplink } from '../../shared/core/lorawan/uplink.ts';
import { TtlCache } from '../../shared/core/ttl-cache.ts';
import type { Shelf } from './shelf.ts';

/** How long a container goes by what it knows: a new assignment or active version is in force after that. */
const TTL_MS = 30_000;
const DEVICES_LIMIT = 20_000;
const CODECS_LIMIT = 2_000;

/** How the uplinks of one device are to be treated. */
export interface Plan {
  readonly assignment: Assignment;
  readonly thing: string;
}

/** What decodes one uplink: a format, `name@version`, or nothing, in which case it is kept as it is. */
export type Choice =
  | { readonly kind: 'format' | 'codec'; readonly id: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly id: string };

export interface Prepared {
  plan(uplink: Uplink): Plan | undefined;
  choice(uplink: Uplink, plan: Plan): Choice;
  /** Why an uplink cannot be treated now, by device: a later try may. */
  readonly failures: ReadonlyMap<string, string>;
}

/** The device's own name in our tables: its DevEUI, which outlives its registration at the network. */
export const deviceOf = ({ devEui, deviceId }: Uplink): string =>
  devEui?.padStart(16, '0') ?? deviceId;

/** Finds out what to decode with, remembering it for half a minute. */
export const codecRegistry = (table: CodecTable, shelf: Shelf, now: () => number) => {
  const entries = new TtlCache<string, DeviceEntry | null>(DEVICES_LIMIT, TTL_MS);
  const pointers = new TtlCache<string, CodecPointer | null>(CODECS_LIMIT, TTL_MS);
  const assignmentsCache = new TtlCache<'all', Assignments>(1, TTL_MS);

  const assignmentsNow = async (timeLeft: TimeLeft): Promise<Assignments> => {
    const known = assignmentsCache.get('all', now());
    if (known !== undefined) return known;
    const assignments = await table.assignments(timeLeft);
    assignmentsCache.set('all', assignments, now());
    return assignments;
  };

  /** Asks for what the cache has not; what is not there is remembered as not there. */
  async function known<Value>(
    names: Iterable<string>,
    cache: TtlCache<string, Value | null>,
    ask: (names: readonly string[]) => Promise<{
      readonly found: ReadonlyMap<string, Value>;
      readonly failures: readonly { readonly item: string; readonly reason: string }[];
    }>,
  ): Promise<{
    readonly values: ReadonlyMap<string, Value>;
    readonly failures: ReadonlyMap<string, string>;
  }> {
    const values = new Map<string, Value>();
    const missing: string[] = [];
    for (const name of new Set(names)) {
      const value = cache.get(name, now());
      if (value === undefined) missing.push(name);
      else if (value !== null) values.set(name, value);
    }
    if (missing.length === 0) return { values, failures: new Map() };
    const { found, failures } = await ask(missing);
    const failed = new Map(failures.map(({ item, reason }) => [item, reason]));
    for (const name of missing) {
      const value = found.get(name);
      if (value !== undefined) values.set(name, value);
      if (!failed.has(name)) cache.set(name, value ?? null, now());
    }
    return { values, failures: failed };
  }

  return {
    /** Everything that these uplinks need of the tables, so that decoding itself waits for nothing. */
    async prepare(uplinks: readonly Uplink[], timeLeft: TimeLeft): Promise<Prepared> {
      const assignments = await assignmentsNow(timeLeft);
      const devices = await known(uplinks.map(deviceOf), entries, (ids) =>
        table.entries(ids, timeLeft),
      );
      const plan = (uplink: Uplink): Plan | undefined => {
        const entry = devices.values.get(deviceOf(uplink));
        const { devEui, joinEui, deviceId } = uplink;
        const assignment = assignmentFor(assignments, { entry, devEui, joinEui });
        return assignment && { assignment, thing: entry?.thing ?? deviceId };
      };
      const wanted = uplinks.flatMap((uplink) => {
        const choice = choiceOf(uplink, plan(uplink)?.assignment);
        return choice === undefined ? [] : [{ uplink, choice }];
      });
      const codecs = await known(
        wanted.flatMap(({ choice: { codec } }) => (isFormat(codec) ? [] : [codec])),
        pointers,
        (names) => table.pointers(names, timeLeft),
      );
      const versionOf = (uplink: Uplink, codec: string, pinned?: number): VersionId | undefined => {
        if (pinned !== undefined) return { name: codec, version: pinned };
        const pointer = codecs.values.get(codec);
        return pointer && { name: codec, version: versionFor(pointer, deviceOf(uplink)) };
      };
      const lacking = await fetchVersions(
        wanted.flatMap(({ uplink, choice }) =>
          isFormat(choice.codec) ? [] : (versionOf(uplink, choice.codec, choice.version) ?? []),
        ),
        timeLeft,
      );
      const failures = new Map(devices.failures);
      for (const { uplink, choice } of wanted) {
        const version = versionOf(uplink, choice.codec, choice.version);
        const reason =
          codecs.failures.get(choice.codec) ?? (version && lacking.get(versionText(version)));
        if (reason !== undefined) failures.set(deviceOf(uplink), reason);
      }
      return {
        plan,
        failures,
        choice(uplink, { assignment }): Choice {
          const choice = choiceOf(uplink, assignment);
          if (choice === undefined) return { kind: 'none' };
          if (isFormat(choice.codec)) return { kind: 'format', id: choice.codec };
          const version = versionOf(uplink, choice.codec, choice.version);
          const id = version === undefined ? choice.codec : versionText(version);
          return { kind: shelf.has(id) ? 'codec' : 'unknown', id };
        },
      };
    },
  };

  /** @returns why versions could not be had now; one that is not there is in neither */
  async function fetchVersions(
    wanted: readonly VersionId[],
    timeLeft: TimeLeft,
  ): Promise<ReadonlyMap<string, string>> {
    const missing = new Map(
      wanted.filter((id) => !shelf.has(versionText(id))).map((id) => [versionText(id), id]),
    );
    if (missing.size === 0) return new Map();
    const { found, failures } = await table.versions([...missing.values()], timeLeft);
    for (const [id, version] of found) shelf.put(id, version);
    return new Map(failures.map(({ item, reason }) => [item, reason]));
  }
};

const choiceOf = ({ fPort, payload }: Uplink, assignment: Assignment | undefined) =>
  assignment === undefined || fPort === undefined || payload.length === 0
    ? undefined
    : choiceFor(assignment, fPort);
