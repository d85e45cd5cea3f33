import * as z from 'zod';
import type { ActionKind } from './action.ts';

const Declaration = z.strictObject({
  BucketName: z.string().min(1),
  Key: z.string().min(1),
  CannedAcl: z
    .literal('private', {
      error: 'the laptop keeps objects in folders of their owner: private only',
    })
    .optional(),
  RoleArn: z.string(),
});

/** One object a message, raw bytes where `SELECT *` passed them. @see IoT Core Developer Guide, S3 action */
export const s3: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ BucketName, Key, RoleArn }, { parameter, sinks, demand }) {
    const { objects } = sinks;
    if (objects === undefined) throw new Error('the laptop keeps no buckets here');
    const [bucketName, key] = [parameter(BucketName), parameter(Key)];
    return {
      name: 'S3Action',
      resource: BucketName,
      async prepare(turn) {
        const [resource, objectKey] = [await bucketName(turn), await key(turn)];
        const attempt = () => {
          const arn = `arn:aws:s3:::${resource}/${objectKey}`;
          const keyArn = objects.keyArnOf?.(resource);
          demand(RoleArn, [
            { action: 's3:PutObject', resource: arn },
            ...(keyArn === undefined ? [] : [{ action: 'kms:GenerateDataKey', resource: keyArn }]),
          ]);
          return objects.put(resource, objectKey, turn.payload);
        };
        return { resource, attempt };
      },
    };
  },
};
