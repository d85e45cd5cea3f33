import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { KeyId, type KmsDeps, keyNeed, kmsOperation } from './access.ts';

export const describeKey = ({ keys, accountId }: KmsDeps): Operation =>
  kmsOperation({
    name: 'DescribeKey',
    input: z.object({ KeyId }),
    needs: (input) => [keyNeed('DescribeKey', keys.resolve(input.KeyId), {}, input.KeyId)],
    run({ input }) {
      const { keyId, arn, description, state, createdAtMs } = keys.resolve(input.KeyId);
      return {
        KeyMetadata: {
          AWSAccountId: accountId,
          KeyId: keyId,
          Arn: arn,
          Description: description,
          CreationDate: createdAtMs / 1000,
          Enabled: state === 'Enabled',
          KeyState: state,
          KeyUsage: 'ENCRYPT_DECRYPT',
          KeySpec: 'SYMMETRIC_DEFAULT',
          CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
          EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
          KeyManager: 'CUSTOMER',
          Origin: 'AWS_KMS',
          MultiRegion: false,
        },
      };
    },
  });
