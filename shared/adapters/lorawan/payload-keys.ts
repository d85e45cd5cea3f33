import {
  DecryptCommand,
  EncryptCommand,
  InvalidCiphertextException,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { TtlCache } from '../../core/ttl-cache.ts';
import { inParallel } from '../chunks.ts';
import { type Failure, failAll, type RetryTools, sendAll, type TimeLeft } from '../retry.ts';
import type { CodecTable } from './codec-table.ts';

/** What a key opens: the envelope inside a payload, or the payload as it was on the air. */
export type Purpose = 'envelope' | 'frm';

const CACHED_KEYS = 1_000;
const TTL_MS = 5 * 60_000;
const WIDTH = 8;
const KEY_BYTES = 16;

/** What KMS authenticates along with a key: one that was put for a device opens for no other. */
export const keyContext = (
  service: string,
  devEui: string,
  purpose: Purpose,
): Record<string, string> => ({ service, devEui, purpose });

export type PayloadKeys = ReturnType<typeof payloadKeys>;

/**
 * Keys of devices, as bytes. They are in the table as KMS encrypted them; a container remembers at most a thousand in
 * clear, each for five minutes.
 *
 * @param service  `tributary-<stage>`
 */
export const payloadKeys = (
  kms: Pick<KMSClient, 'send'>,
  table: Pick<CodecTable, 'payloadKeys'>,
  service: string,
  tools: RetryTools,
  now: () => number,
) => {
  const cache = new TtlCache<string, Uint8Array>(CACHED_KEYS, TTL_MS);

  return {
    /** @returns keys by DevEUI, as far as there are any, and the devices whose key could not be had now */
    async keysOf(
      devEuis: readonly string[],
      purpose: Purpose,
      timeLeft: TimeLeft,
    ): Promise<{
      readonly keys: ReadonlyMap<string, Uint8Array>;
      readonly failures: readonly Failure<string>[];
    }> {
      const keys = new Map<string, Uint8Array>();
      const missing: string[] = [];
      for (const devEui of new Set(devEuis)) {
        const key = cache.get(`${purpose} ${devEui}`, now());
        if (key === undefined) missing.push(devEui);
        else keys.set(devEui, key);
      }
      if (missing.length === 0) return { keys, failures: [] };
      const { found, failures } = await table.payloadKeys(missing, purpose, timeLeft);
      const opened = await inParallel([...found], WIDTH, async ([devEui, ciphertext]) => {
        const openOnce = async (): Promise<Failure<string>[]> => {
          const key = await open(devEui, ciphertext, purpose);
          if (key !== undefined) keys.set(devEui, key);
          if (key !== undefined) cache.set(`${purpose} ${devEui}`, key, now());
          return [];
        };
        try {
          return await sendAll([devEui], openOnce, tools, timeLeft);
        } catch (error) {
          // what is wrong with one device's key is no reason to keep the others waiting
          return failAll([devEui], error instanceof Error ? error.name : 'unknown');
        }
      });
      return { keys, failures: [...failures, ...opened.flat()] };
    },
  };

  /** @returns nothing for what is no key of this device, and never will be */
  async function open(
    devEui: string,
    ciphertext: string,
    purpose: Purpose,
  ): Promise<Uint8Array | undefined> {
    try {
      const { Plaintext } = await decrypt(devEui, ciphertext, purpose);
      return Plaintext?.length === KEY_BYTES ? Plaintext : undefined;
    } catch (error) {
      if (error instanceof InvalidCiphertextException) return undefined;
      throw error;
    }
  }

  function decrypt(devEui: string, ciphertext: string, purpose: Purpose) {
    return kms.send(
      new DecryptCommand({
        CiphertextBlob: Buffer.from(ciphertext, 'base64'),
        EncryptionContext: keyContext(service, devEui, purpose),
      }),
    );
  }
};

/** For who puts keys: the ciphertext to keep, base64. */
export async function sealKey(
  kms: Pick<KMSClient, 'send'>,
  keyId: string,
  context: Record<string, string>,
  key: Uint8Array,
): Promise<string> {
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: keyId, Plaintext: key, EncryptionContext: context }),
  );
  if (CiphertextBlob === undefined) throw new Error('KMS answered without a ciphertext');
  return Buffer.from(CiphertextBlob).toString('base64');
}
