import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { toItem } from '../shared/adapters/attributes.ts';
import { codecTable, downlinksKey, versionText } from '../shared/adapters/codec-table.ts';
import { payloadKeys } from '../shared/adapters/payload-keys.ts';
import { CodecFault } from '../shared/codec-runtime/codec-fault.ts';
import type { CodecRuntime } from '../shared/codec-runtime/codec-runtime.ts';
import { type Assignment, assignmentFor, choiceFor } from '../shared/core/lorawan/assignment.ts';
import { type CodecVersion, versionFor } from '../shared/core/lorawan/codec-version.ts';
import { isFormat } from '../shared/core/lorawan/formats/index.ts';
import { sealEnvelope } from '../shared/core/lorawan/payload-envelope.ts';
import { difference, type Tried, tryCodec } from './codec-vectors.ts';
import { FailedError } from './command.ts';

/** What goes to a device, as its codec made it. */
export interface Encoded {
  /** `name@version` */
  readonly codec: string;
  readonly fPort: number;
  readonly payload: Buffer;
  readonly warnings: readonly string[];
}

const Texts = z
  .array(z.unknown())
  .nullish()
  .transform((texts) => (texts ?? []).map(String));
const Notes = z.object({ errors: Texts, warnings: Texts });
const Downlink = z.object({
  fPort: z.int('wants a whole number').min(1, 'wants 1 to 223').max(223, 'wants 1 to 223'),
  bytes: z
    .array(z.int('wants whole numbers').min(0, 'wants 0 to 255').max(255, 'wants 0 to 255'))
    .min(1, 'is empty, wants 1 to 242 bytes')
    .max(242, 'is too long, wants 1 to 242 bytes'),
});

/**
 * Makes bytes of a command by `encodeDownlink`; where there is a `decodeDownlink`, it has to read the same from them.
 *
 * @param fPort  for codecs that let one choose
 * @throws {FailedError} with what the codec reports, answers wrongly, or reads differently
 * @see LoRa Alliance TS013-1.0.0, Payload Codec API
 */
export function encodeCommand(
  codec: string,
  tried: Tried,
  data: object,
  { fPort, nowMs }: { readonly fPort: number | undefined; readonly nowMs: number },
): Encoded {
  const given = fPort === undefined ? {} : { fPort };
  const answer = ask(codec, tried, 'encodeDownlink', { data, ...given, recvTime: nowMs });
  const parsed = Downlink.safeParse(answer.body);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new FailedError(`encodeDownlink of ${codec} made no downlink: ${issues.join('; ')}.`);
  }
  const { bytes } = parsed.data;
  const back = tried.functions.includes('decodeDownlink')
    ? ask(codec, tried, 'decodeDownlink', { bytes, fPort: parsed.data.fPort, recvTime: nowMs })
    : undefined;
  const where = back && difference(data, only(data, back.body['data']), '');
  if (where !== undefined) {
    throw new FailedError(
      `decodeDownlink of ${codec} reads the bytes ${Buffer.from(bytes).toString('hex')} differently: ${where}.`,
    );
  }
  const warnings = [...answer.warnings, ...(back?.warnings ?? [])];
  return { codec, fPort: parsed.data.fPort, payload: Buffer.from(bytes), warnings };
}

function ask(
  codec: string,
  tried: Tried,
  task: 'encodeDownlink' | 'decodeDownlink',
  input: Parameters<Tried['ask']>[1],
) {
  const body: Record<string, unknown> = Object(askOrFail(codec, () => tried.ask(task, input)));
  const { data: notes } = Notes.safeParse(body);
  if (notes === undefined)
    throw new FailedError(`${task} of ${codec}: errors and warnings are lists of texts.`);
  if (notes.errors.length > 0)
    throw new FailedError(`${task} of ${codec} reports: ${notes.errors.join('; ')}.`);
  return { body, warnings: notes.warnings };
}

function askOrFail<Answer>(codec: string, question: () => Answer): Answer {
  try {
    return question();
  } catch (error) {
    if (error instanceof CodecFault)
      throw new FailedError(`${codec}: ${error.code}: ${error.message}`);
    throw error;
  }
}

/** Of what was decoded, what the command names: codecs may add what they filled in. */
const only = (data: object, decoded: unknown): object => {
  const members: Record<string, unknown> = Object(decoded);
  return Object.fromEntries(Object.keys(data).map((name) => [name, members[name]]));
};

/** @throws {FailedError} when the version does not load */
export const loadCodec = (runtime: CodecRuntime, version: CodecVersion): Tried =>
  askOrFail(versionText(version), () => tryCodec(runtime, version.source));

/** A device as downlinks see it. */
export interface DownlinkDevice {
  readonly name: string;
  readonly devEui: string;
}

const PATIENCE_MS = 20_000;
const TAG_BYTES = 8;

/** What the stage's registry of codecs says of downlinks; `npm run codec` writes it. */
export function openDownlinkDesk(db: DynamoDBClient, kms: KMSClient, stage: string) {
  const TableName = `tributary-${stage}-codecs`;
  const tools = { sleep: (ms: number) => delay(ms), random: Math.random };
  const timeLeft = () => PATIENCE_MS;
  const codecs = codecTable(db, TableName, tools);

  const oneOf = <Value>(
    {
      found,
      failures,
    }: { found: ReadonlyMap<string, Value>; failures: readonly { reason: string }[] },
    what: string,
  ): Value | undefined => {
    const [failure] = failures;
    if (failure !== undefined)
      throw new FailedError(`${what} could not be read: ${failure.reason}`);
    return [...found.values()][0];
  };

  return {
    async assignmentOf(devEui: string): Promise<Assignment | undefined> {
      const [assignments, entries] = await Promise.all([
        codecs.assignments(timeLeft),
        codecs.entries([devEui], timeLeft),
      ]);
      const entry = oneOf(entries, `the entry of ${devEui}`);
      return assignmentFor(assignments, { entry, devEui, joinEui: undefined });
    },

    /** The codecs that a device has, each in the version that decodes for it; formats are none. */
    async codecsOf(
      devEui: string,
      assignment: Assignment,
      fPort: number | undefined,
    ): Promise<CodecVersion[]> {
      const choice = fPort === undefined ? undefined : choiceFor(assignment, fPort);
      const choices = choice === undefined ? assignment.codecs : [choice];
      const versions: CodecVersion[] = [];
      for (const { codec: name, version: pinned } of choices) {
        if (isFormat(name)) continue;
        const pointer = oneOf(await codecs.pointers([name], timeLeft), `codec ${name}`);
        const version = pinned ?? (pointer && versionFor(pointer, devEui));
        if (version === undefined) continue;
        const id = { name, version };
        const found = oneOf(await codecs.versions([id], timeLeft), versionText(id));
        if (found !== undefined) versions.push(found);
      }
      return versions;
    },

    /**
     * Seals a payload in the envelope that the device opens. The counter is written before it is used, and so never
     * used twice.
     *
     * @throws {FailedError} when the device has no key for envelopes
     */
    async seal({ name, devEui }: DownlinkDevice, fPort: number, payload: Buffer): Promise<Buffer> {
      const keys = payloadKeys(kms, codecs, `tributary-${stage}`, tools, Date.now);
      const { keys: found, failures } = await keys.keysOf([devEui], 'envelope', timeLeft);
      const key = oneOf({ found, failures }, `the payload key of ${name}`);
      if (key === undefined) {
        throw new FailedError(
          `${name} takes its payloads in envelopes, and has no key for them: npm run codec -- key ${devEui} --key-file <file>`,
        );
      }
      const { Attributes } = await db.send(
        new UpdateItemCommand({
          TableName,
          Key: toItem({ ...downlinksKey(devEui) }),
          UpdateExpression: 'ADD sealed :one',
          ExpressionAttributeValues: { ':one': { N: '1' } },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      const counter = z.coerce
        .number()
        .int()
        .min(1)
        .max(0xffff_ffff)
        .parse(Attributes?.['sealed']?.N);
      const address = { devEui, fPort, direction: 'down' } as const;
      return sealEnvelope(key, address, { payload, counter }, TAG_BYTES);
    },
  };
}
