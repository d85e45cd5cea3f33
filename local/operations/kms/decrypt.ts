import * as z from 'zod';
import { AwsError, type Operation } from '../operation.ts';
import {
  Blob,
  base64,
  checkLacking,
  EncryptionContext,
  KeyId,
  type KmsDeps,
  keyNeed,
  kmsOperation,
  LackingInput,
  SymmetricOnly,
} from './access.ts';

export const decrypt = ({ keys }: KmsDeps): Operation =>
  kmsOperation({
    name: 'Decrypt',
    input: z.object({
      CiphertextBlob: Blob,
      KeyId: KeyId.optional(),
      EncryptionContext,
      EncryptionAlgorithm: SymmetricOnly,
      ...LackingInput.shape,
    }),
    needs: ({ CiphertextBlob, EncryptionContext: context, KeyId: reference }) => [
      keyNeed('Decrypt', keys.keyOf(CiphertextBlob), context, reference),
    ],
    run({ input }) {
      checkLacking(input);
      const { CiphertextBlob, KeyId: reference, EncryptionContext: context } = input;
      const sealedUnder = keys.keyOf(CiphertextBlob).arn;
      if (reference !== undefined && keys.resolve(reference).arn !== sealedUnder) {
        throw new AwsError(
          'IncorrectKeyException',
          `The ciphertext is under another key than ${reference}.`,
        );
      }
      const { key, plaintext } = keys.decrypt(CiphertextBlob, context);
      return {
        KeyId: key.arn,
        Plaintext: base64(plaintext),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    },
  });
