/** A custom authorizer as CreateAuthorizer or the template declares it. */
export interface Authorizer {
  readonly name: string;
  readonly arn: string;
  readonly functionArn: string;
  /** Header, query parameter or user name parameter that holds the token; always there when tokens are signed. */
  readonly tokenKeyName?: string;
  /** PEM by key name; a token may be signed by any of them, so that they can be rotated. */
  readonly signingKeys: Readonly<Record<string, string>>;
  readonly signingDisabled: boolean;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly enableCachingForHttp: boolean;
  readonly createdMs: number;
  readonly changedMs: number;
}

/** What the endpoint that a client came to says of authorizers. */
export interface AuthorizerChoice {
  /** Taken where the client names none. */
  readonly defaultName?: string;
  /** Whether the client may name another. */
  readonly allowOverride: boolean;
}
