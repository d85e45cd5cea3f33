export type SignatureProblem =
  | 'NO_SIGNATURE'
  | 'MALFORMED'
  | 'ALGORITHM'
  | 'UNKNOWN_KEY'
  | 'SCOPE'
  | 'SKEW'
  | 'EXPIRED'
  | 'SESSION_TOKEN'
  | 'UNSIGNED_HEADER'
  | 'PAYLOAD'
  | 'SIGNATURE';

/** A request that is not signed as it should be; the message is for the operator and holds no secret. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  readonly reason: SignatureProblem;
  readonly accessKeyId: string | undefined;

  constructor(reason: SignatureProblem, message: string, accessKeyId?: string) {
    super(message);
    this.reason = reason;
    this.accessKeyId = accessKeyId;
  }
}

export const refuse = (
  reason: SignatureProblem,
  problem: string,
  accessKeyId?: string,
): SignatureError => new SignatureError(reason, `the request ${problem}`, accessKeyId);
