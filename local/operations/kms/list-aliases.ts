import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { KeyId, type KmsDeps, kmsOperation } from './access.ts';

const DEFAULT_LIMIT = 50;

export const listAliases = ({ keys }: KmsDeps): Operation =>
  kmsOperation({
    name: 'ListAliases',
    input: z.object({
      KeyId: KeyId.optional(),
      Limit: z.int().min(1).max(100).default(DEFAULT_LIMIT),
      Marker: z.string().default(''),
    }),
    needs: () => [{ action: 'kms:ListAliases', resource: '*' }],
    run({ input }) {
      const of = input.KeyId === undefined ? undefined : keys.resolve(input.KeyId).keyId;
      const aliases = keys
        .aliases()
        .filter(({ keyId, name }) => (of === undefined || keyId === of) && name > input.Marker)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const page = aliases.slice(0, input.Limit);
      const truncated = page.length < aliases.length;
      return {
        Aliases: page.map(({ name, arn, keyId, createdAtMs }) => ({
          AliasName: name,
          AliasArn: arn,
          TargetKeyId: keyId,
          CreationDate: createdAtMs / 1000,
          LastUpdatedDate: createdAtMs / 1000,
        })),
        Truncated: truncated,
        ...(truncated && { NextMarker: page.at(-1)?.name }),
      };
    },
  });
