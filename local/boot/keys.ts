import * as z from 'zod';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import { ofType, propertiesOf } from './resources.ts';

/** The ARN of a key of the template, by any of its names; none for a key of AWS's own. */
export function keyArnOf(stack: ResolvedStack, reference: unknown): string | undefined {
  if (typeof reference !== 'string' || reference === '') return undefined;
  const alias = ofType(stack, 'AWS::KMS::Alias').find(
    ({ physicalId, arn }) => physicalId === reference || arn === reference,
  );
  const id = alias === undefined ? reference : String(alias.properties['TargetKeyId']);
  return ofType(stack, 'AWS::KMS::Key').find(
    ({ physicalId, arn }) => physicalId === id || arn === id,
  )?.arn;
}

const Encryption = z.object({
  ServerSideEncryptionConfiguration: z.array(
    z.object({
      ServerSideEncryptionByDefault: z.object({ KMSMasterKeyID: z.string().optional() }).optional(),
    }),
  ),
});
const BucketProperties = z.object({ BucketEncryption: Encryption.optional() });

/** The key that a bucket encrypts with, where it is one of the template. */
export function keyOfBucket(stack: ResolvedStack, bucket: ResolvedResource): string | undefined {
  const { BucketEncryption } = propertiesOf(bucket, BucketProperties);
  const [rule] = BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
  return keyArnOf(stack, rule?.ServerSideEncryptionByDefault?.KMSMasterKeyID);
}
