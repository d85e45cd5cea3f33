import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import * as z from 'zod';
import { toItem } from '../shared/adapters/attributes.ts';
import { codecTable, downlinksKey, versionText } from '../shared/adapters/lorawan/codec-table.ts';
import { payloadKeys } from '../shared/adapters/lorawan/payload-keys.ts';
import { type Assignment, assignmentFor, choiceFor } from '../shared/core/lorawan/assignment.ts';
import { type CodecVersion, versionFor } from '../shared/core/lorawan/codec-version.ts';
import { isFormat } from '../shared/core/lorawan/formats/index.ts';
import { sealEnvelope } from '../shared/core/lorawan/payload-envelope.ts';
import { FailedError } from './command.ts';

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
