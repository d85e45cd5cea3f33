import { gzipSync } from 'node:zlib';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import { toItem } from '../shared/adapters/attributes.ts';
import {
  ASSIGNMENTS,
  deviceKey,
  payloadKeyKey,
  pointerKey,
  unpackVersion,
  vectorsKey,
  versionKey,
} from '../shared/adapters/lorawan/codec-table.ts';
import { keyContext, type Purpose, sealKey } from '../shared/adapters/lorawan/payload-keys.ts';
import type { Key } from '../shared/core/keys.ts';
import {
  Assignment,
  type Choice,
  CodecName,
  DeviceEntry,
} from '../shared/core/lorawan/assignment.ts';
import { CodecPointer, type CodecVersion, digestOf } from '../shared/core/lorawan/codec-version.ts';
import { isFormat } from '../shared/core/lorawan/formats/index.ts';
import type { Vector } from './codec-vectors.ts';
import { FailedError } from './command.ts';

/** An item of DynamoDB holds 400 KB, its keys and names included. */
const BODY_LIMIT_BYTES = 390_000;
const HISTORY_LIMIT = 20;

/** Whose uplinks an assignment is for; `sk` of its item, or a device's own. */
export type Selector =
  | { readonly kind: 'device'; readonly id: string }
  | { readonly kind: 'many'; readonly sk: string };

export interface Listed {
  readonly pointers: readonly CodecPointer[];
  readonly assignments: readonly { readonly of: string; readonly assignment: Assignment }[];
  readonly devices: readonly { readonly device: string; readonly entry: DeviceEntry }[];
}

export type CodecDesk = ReturnType<typeof openCodecDesk>;

/** Codecs and assignments of a stage, for who looks after them: the one who writes what `decode` reads. */
export function openCodecDesk(db: DynamoDBClient, stage: string, now: () => number) {
  const TableName = `tributary-${stage}-codecs`;

  const read = async (key: Key): Promise<unknown> => {
    const { Item } = await db.send(
      new GetItemCommand({ TableName, Key: toItem({ ...key }), ConsistentRead: true }),
    );
    return Item?.['body']?.S === undefined ? undefined : JSON.parse(Item['body'].S);
  };

  const write = async (key: Key, body: unknown, condition?: string, values = {}): Promise<void> => {
    const text = JSON.stringify(body);
    if (Buffer.byteLength(text) > BODY_LIMIT_BYTES) {
      throw new FailedError(
        `It takes ${Buffer.byteLength(text)} bytes compressed, ${BODY_LIMIT_BYTES} fit.`,
      );
    }
    await db.send(
      new PutItemCommand({
        TableName,
        Item: toItem({ ...key, body: text, ...values }),
        ...(condition !== undefined && { ConditionExpression: condition }),
      }),
    );
  };

  const pointerOf = async (name: string): Promise<CodecPointer | undefined> => {
    const body = await read(pointerKey(name));
    return body === undefined ? undefined : CodecPointer.parse(body);
  };

  const known = async (name: string): Promise<CodecPointer> => {
    const pointer = await pointerOf(name);
    if (pointer === undefined) throw new FailedError(`There is no codec ${name}; put it first.`);
    return pointer;
  };

  const writePointer = async (
    pointer: Omit<CodecPointer, 'updatedAtMs'>,
  ): Promise<CodecPointer> => {
    const next: CodecPointer = { ...pointer, updatedAtMs: now() };
    await write(pointerKey(pointer.name), next);
    return next;
  };

  return {
    pointerOf,

    async versionOf(name: string, version: number): Promise<CodecVersion> {
      const body = await read(versionKey(name, version));
      if (body === undefined) throw new FailedError(`There is no version ${version} of ${name}.`);
      return unpackVersion(body);
    },

    /**
     * Adds a version, and makes it active, or the canary of a share of devices.
     *
     * @returns nothing when the newest version is the very same
     */
    async put(
      { name, source, kind }: Pick<CodecVersion, 'name' | 'source' | 'kind'>,
      vectors: readonly Vector[],
      canaryPercent: number | undefined,
    ): Promise<CodecPointer | undefined> {
      const pointer = await pointerOf(name);
      const digest = digestOf(source);
      if (pointer !== undefined && (await this.versionOf(name, pointer.latest)).digest === digest) {
        return undefined;
      }
      if (canaryPercent !== undefined && pointer === undefined) {
        throw new FailedError(`${name} has no version yet that the others could go on with.`);
      }
      const version = (pointer?.latest ?? 0) + 1;
      const packed = gzipSync(source).toString('base64');
      const body = { name, version, kind, source: packed, digest, createdAtMs: now() };
      try {
        await write(versionKey(name, version), body, 'attribute_not_exists(pk)');
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        throw new FailedError(
          `Somebody else put version ${version} of ${name} just now; try again.`,
        );
      }
      await write(vectorsKey(name, version), {
        vectors: gzipSync(JSON.stringify(vectors)).toString('base64'),
      });
      if (pointer !== undefined && canaryPercent !== undefined) {
        const canary = { version, percent: canaryPercent };
        return writePointer({ ...pointer, latest: version, canary });
      }
      return writePointer(
        activated(pointer ?? { name, active: 0, latest: version, history: [] }, version, version),
      );
    },

    /** Makes a version that is there the active one, and ends the canary. */
    async activate(name: string, version: number): Promise<CodecPointer> {
      const pointer = await known(name);
      await this.versionOf(name, version);
      return writePointer(activated(pointer, version, pointer.latest));
    },

    /** Back to what was active before; a canary ends first. */
    async rollback(name: string): Promise<CodecPointer> {
      const { canary, ...pointer } = await known(name);
      if (canary !== undefined) return writePointer(pointer);
      const [before, ...history] = pointer.history;
      if (before === undefined)
        throw new FailedError(`${name} had no other version active before.`);
      return writePointer({ ...pointer, active: before, history });
    },

    /**
     * @param text  a format, or `name[@version]` of a codec
     * @throws {FailedError} when there is no such codec or version
     */
    async choice(text: string): Promise<Choice> {
      const [name = '', version] = text.split('@');
      if (isFormat(name) && version === undefined) return { codec: name };
      const { data: codec } = CodecName.safeParse(name);
      if (codec === undefined || !/^[1-9]\d*$/.test(version ?? '1'))
        throw new FailedError(`${text} names no codec: wants name or name@version.`);
      await known(codec);
      if (version === undefined) return { codec };
      await this.versionOf(codec, Number(version));
      return { codec, version: Number(version) };
    },

    /** Adds a choice to the assignment of some devices, before those that it does not replace. */
    async assign(
      selector: Selector,
      choice: Choice,
      { fleet, encryption }: Partial<Pick<Assignment, 'fleet' | 'encryption'>>,
    ): Promise<Assignment> {
      const key =
        selector.kind === 'device' ? deviceKey(selector.id) : { pk: ASSIGNMENTS, sk: selector.sk };
      const body = await read(key);
      const entry = selector.kind === 'device' ? DeviceEntry.parse(body ?? {}) : undefined;
      const old =
        entry?.assignment ?? (entry === undefined ? Assignment.safeParse(body).data : undefined);
      const inFleet = fleet ?? old?.fleet;
      if (inFleet === undefined)
        throw new FailedError('Which fleet are these devices of? Name it with --fleet.');
      const assignment = Assignment.parse({
        fleet: inFleet,
        encryption: encryption ?? old?.encryption,
        codecs: withChoice(old?.codecs ?? [], choice),
      });
      await write(key, entry === undefined ? assignment : { ...entry, assignment });
      return assignment;
    },

    /** What is a device's own: a profile to go by, a name in readings. */
    async describe(id: string, changes: Omit<DeviceEntry, 'assignment'>): Promise<DeviceEntry> {
      const entry = DeviceEntry.parse({ ...Object(await read(deviceKey(id))), ...changes });
      await write(deviceKey(id), entry);
      return entry;
    },

    /** Keeps a device's payload key, as KMS encrypts it. */
    async putKey(kms: KMSClient, devEui: string, purpose: Purpose, key: Uint8Array): Promise<void> {
      const context = keyContext(`tributary-${stage}`, devEui, purpose);
      const ciphertext = await sealKey(kms, `alias/tributary-${stage}-payload`, context, key);
      await write(payloadKeyKey(devEui, purpose), { ciphertext });
    },

    async list(): Promise<Listed> {
      const pointers: CodecPointer[] = [];
      const assignments: { of: string; assignment: Assignment }[] = [];
      const devices: { device: string; entry: DeviceEntry }[] = [];
      const pages = paginateScan(
        { client: db },
        {
          TableName,
          FilterExpression: 'sk IN (:pointer, :entry) OR pk = :assignments',
          ExpressionAttributeValues: {
            ':pointer': { S: 'pointer' },
            ':entry': { S: 'entry' },
            ':assignments': { S: ASSIGNMENTS },
          },
        },
      );
      for await (const { Items = [] } of pages) {
        for (const item of Items) {
          const [pk, sk] = [item['pk']?.S ?? '', item['sk']?.S ?? ''];
          const body: unknown = JSON.parse(item['body']?.S ?? 'null');
          if (sk === 'pointer') pointers.push(CodecPointer.parse(body));
          else if (pk === ASSIGNMENTS)
            assignments.push({ of: sk, assignment: Assignment.parse(body) });
          else devices.push({ device: pk.slice('device#'.length), entry: DeviceEntry.parse(body) });
        }
      }
      return { pointers, assignments, devices };
    },
  };
}

function activated(
  { canary: _, ...pointer }: Omit<CodecPointer, 'updatedAtMs'>,
  version: number,
  latest: number,
): Omit<CodecPointer, 'updatedAtMs'> {
  const before = pointer.active === 0 || pointer.active === version ? [] : [pointer.active];
  const history = [...before, ...pointer.history].slice(0, HISTORY_LIMIT);
  return { ...pointer, active: version, latest, history };
}

/** Choices for some FPorts come before the one for all; one for the same FPorts is replaced. */
function withChoice(codecs: readonly Choice[], choice: Choice): Choice[] {
  const ports = ({ fPorts }: Choice): string =>
    (fPorts ?? []).toSorted((one, other) => one - other).join();
  const others = codecs.filter((one) => ports(one) !== ports(choice));
  return choice.fPorts === undefined ? [...others, choice] : [choice, ...others];
}
