import * as z from 'zod';

/** A custom authorizer as CreateAuthorizer or the template declares it. */
export const Authorizer = z.object({
  name: z.string(),
  arn: z.string(),
  functionArn: z.string(),
  /** Header, query parameter or user name parameter that holds the token; always there when tokens are signed. */
  tokenKeyName: z.string().exactOptional(),
  /** PEM by key name; a token may be signed by any of them, so that they can be rotated. */
  signingKeys: z.record(z.string(), z.string()),
  signingDisabled: z.boolean(),
  status: z.enum(['ACTIVE', 'INACTIVE']),
  enableCachingForHttp: z.boolean(),
  createdMs: z.number(),
  changedMs: z.number(),
});
export type Authorizer = Readonly<z.infer<typeof Authorizer>>;

/** What the endpoint that a client came to says of authorizers. */
export interface AuthorizerChoice {
  /** Taken where the client names none. */
  readonly defaultName?: string;
  /** Whether the client may name another. */
  readonly allowOverride: boolean;
}
