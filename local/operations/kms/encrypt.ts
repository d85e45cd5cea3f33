import * as z from 'zod';
import type { Operation } from '../operation.ts';
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

const MAX_PLAINTEXT_BYTES = 4096;

export const encrypt = ({ keys }: KmsDeps): Operation =>
  kmsOperation({
    name: 'Encrypt',
    input: z.object({
      KeyId,
      Plaintext: Blob.refine(
        ({ length }) => length >= 1 && length <= MAX_PLAINTEXT_BYTES,
        `must be 1 to ${MAX_PLAINTEXT_BYTES} bytes`,
      ),
      EncryptionContext,
      EncryptionAlgorithm: SymmetricOnly,
      ...LackingInput.shape,
    }),
    needs: ({ KeyId: reference, EncryptionContext: context }) => [
      keyNeed('Encrypt', keys.resolve(reference), context, reference),
    ],
    run({ input }) {
      checkLacking(input);
      const sealed = keys.encrypt(input.KeyId, input.Plaintext, input.EncryptionContext);
      return {
        KeyId: keys.resolve(input.KeyId).arn,
        CiphertextBlob: base64(sealed),
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    },
  });
