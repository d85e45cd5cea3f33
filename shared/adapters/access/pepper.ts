import {
  DecryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { TtlCache } from '../../core/ttl-cache.ts';
import type { SecretTable } from './secret-table.ts';

/** How long a container keeps an open pepper: who takes the key away has to wait as long. */
const OPEN_MS = 60 * 60_000;
const VERSIONS = 8;

/** What the key is asked for with each call, and its policy allows nothing else. */
const pepperContext = (tableName: string) => ({
  purpose: 'device-secrets',
  table: tableName,
});

/** The peppers of device secrets: data keys of KMS, kept encrypted beside what they protect. */
export const peppers = (
  kms: Pick<KMSClient, 'send'>,
  table: Pick<SecretTable, 'sealedPepper' | 'addPepper'>,
  { keyId, tableName }: { readonly keyId: string; readonly tableName: string },
  now: () => number,
) => {
  const open = new TtlCache<number, Uint8Array>(VERSIONS, OPEN_MS);
  const EncryptionContext = pepperContext(tableName);

  return {
    /** @throws {Error} when it was not made yet, or the key does not open it */
    async open(version: number): Promise<Uint8Array> {
      const before = open.get(version, now());
      if (before !== undefined) return before;
      const CiphertextBlob = await table.sealedPepper(version);
      if (CiphertextBlob === undefined) throw new Error(`there is no pepper ${version}`);
      const { Plaintext } = await kms.send(
        new DecryptCommand({ KeyId: keyId, CiphertextBlob, EncryptionContext }),
      );
      if (Plaintext === undefined) throw new Error(`pepper ${version} was not opened`);
      open.set(version, Plaintext, now());
      return Plaintext;
    },

    /** Makes a pepper, 256 bits, which nobody has seen before somebody opens it. */
    async make(version: number): Promise<void> {
      const { CiphertextBlob } = await kms.send(
        new GenerateDataKeyWithoutPlaintextCommand({
          KeyId: keyId,
          KeySpec: 'AES_256',
          EncryptionContext,
        }),
      );
      if (CiphertextBlob === undefined) throw new Error(`pepper ${version} was not made`);
      await table.addPepper(version, CiphertextBlob);
    },
  };
};
