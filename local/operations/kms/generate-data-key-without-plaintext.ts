import type { Operation } from '../operation.ts';
import { type KmsDeps, keyNeed, kmsOperation } from './access.ts';
import { DataKeyInput, newDataKey } from './data-key.ts';

export const generateDataKeyWithoutPlaintext = (deps: KmsDeps): Operation =>
  kmsOperation({
    name: 'GenerateDataKeyWithoutPlaintext',
    input: DataKeyInput,
    needs: ({ KeyId: reference, EncryptionContext: context }) => [
      keyNeed('GenerateDataKeyWithoutPlaintext', deps.keys.resolve(reference), context, reference),
    ],
    run({ input }) {
      const { KeyId, CiphertextBlob } = newDataKey(deps, input);
      return { KeyId, CiphertextBlob };
    },
  });
