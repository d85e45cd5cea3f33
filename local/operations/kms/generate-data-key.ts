import type { Operation } from '../operation.ts';
import { type KmsDeps, keyNeed, kmsOperation } from './access.ts';
import { DataKeyInput, newDataKey } from './data-key.ts';

export const generateDataKey = (deps: KmsDeps): Operation =>
  kmsOperation({
    name: 'GenerateDataKey',
    input: DataKeyInput,
    needs: ({ KeyId: reference, EncryptionContext: context }) => [
      keyNeed('GenerateDataKey', deps.keys.resolve(reference), context, reference),
    ],
    run: ({ input }) => newDataKey(deps, input),
  });
