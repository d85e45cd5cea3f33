export type AuthorizerProblem =
  | 'NO_AUTHORIZER'
  | 'UNKNOWN_AUTHORIZER'
  | 'OVERRIDE_NOT_ALLOWED'
  | 'AUTHORIZER_INACTIVE'
  | 'AMBIGUOUS'
  | 'NO_TOKEN'
  | 'NO_TOKEN_SIGNATURE'
  | 'TOKEN_SIGNATURE'
  | 'NOT_PERMITTED'
  | 'TIMEOUT'
  | 'FUNCTION_ERROR'
  | 'INVALID_RESPONSE'
  | 'NOT_AUTHENTICATED';

/** A custom authorizer did not let a client in; the message is for the operator and holds no credential. */
export class AuthorizerRefusal extends Error {
  override readonly name = 'AuthorizerRefusal';
  readonly reason: AuthorizerProblem;

  constructor(reason: AuthorizerProblem, message: string) {
    super(message);
    this.reason = reason;
  }
}
