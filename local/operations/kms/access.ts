import * as z from 'zod';
import type { Key, KeyStore } from '../../stores/key-store.ts';
import { AwsError, type Need, type Operation, operation } from '../operation.ts';

/** What KMS's operations work on. */
export interface KmsDeps {
  readonly keys: KeyStore;
  readonly accountId: string;
}

/** Key id, key ARN, alias name or alias ARN. */
export const KeyId = z.string().min(1).max(2048);

/** Blobs are base64 in JSON. */
export const Blob = z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64'));

export const EncryptionContext = z.record(z.string(), z.string()).default({});

/** Members of several calls that would change what they do, and that the laptop does not do. */
export const LackingInput = z.object({
  GrantTokens: z.array(z.string()).default([]),
  Recipient: z.unknown().optional(),
  DryRun: z.boolean().optional(),
});

/** @throws {AwsError} by name, for what the laptop's KMS lacks; `DryRunOperationException` ends a dry run */
export function checkLacking(input: z.infer<typeof LackingInput>): void {
  const lacking = [
    ...(input.GrantTokens.length > 0 ? ['GrantTokens'] : []),
    ...(input.Recipient === undefined ? [] : ['Recipient']),
  ];
  if (lacking.length > 0) {
    const names = lacking.join(', ');
    throw new AwsError('UnsupportedOperationException', `The laptop's KMS has no ${names}.`);
  }
  if (input.DryRun === true) {
    const message = 'The request would have succeeded, but the DryRun option is set.';
    throw new AwsError('DryRunOperationException', message, 412);
  }
}

export const SymmetricOnly = z
  .string()
  .default('SYMMETRIC_DEFAULT')
  .refine((name) => name === 'SYMMETRIC_DEFAULT', 'the laptop has symmetric keys only');

/** One of KMS's operations. */
export const kmsOperation = <Input>({
  name,
  ...definition
}: Omit<Operation<Input>, 'route'> & { readonly name: string }): Operation =>
  operation({ ...definition, route: { target: `TrentService.${name}` } });

/**
 * The grant to use a key, whichever way the call names it.
 *
 * @see KMS Developer Guide, AWS KMS condition keys
 */
export function keyNeed(
  action: string,
  key: Key,
  context: Readonly<Record<string, string>>,
  reference?: string,
): Need {
  const pairs = Object.entries(context);
  return {
    action: `kms:${action}`,
    resource: key.arn,
    context: {
      ...Object.fromEntries(pairs.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
      ...(pairs.length > 0 && { 'kms:EncryptionContextKeys': pairs.map(([name]) => name) }),
      ...(reference?.includes('alias/') && { 'kms:RequestAlias': aliasNameOf(reference) }),
    },
  };
}

const aliasNameOf = (reference: string): string =>
  reference.startsWith('arn:') ? reference.split(':').slice(5).join(':') : reference;

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
