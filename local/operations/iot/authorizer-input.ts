import * as z from 'zod';

/** Members that creating and updating an authorizer have in common. */
export const authorizerMembers = {
  tokenKeyName: z.string().optional(),
  tokenSigningPublicKeys: z.record(z.string(), z.string()).optional(),
  status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
  enableCachingForHttp: z.boolean().optional(),
};
