import { safeText } from '../errors.ts';

export type RefusalCode =
  | 'MALFORMED_EVENT'
  | 'NO_CREDENTIAL'
  | 'AMBIGUOUS_CREDENTIAL'
  | 'CREDENTIAL_NOT_ACCEPTED'
  | 'UNSIGNED_TOKEN'
  | 'TOKEN_TOO_LARGE'
  | 'MALFORMED_TOKEN'
  | 'FORBIDDEN_HEADER'
  | 'UNKNOWN_ISSUER'
  | 'FORBIDDEN_ALGORITHM'
  | 'UNKNOWN_KEY'
  | 'KEYS_UNAVAILABLE'
  | 'BAD_SIGNATURE'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'WRONG_CLAIM'
  | 'MALFORMED_SECRET'
  | 'UNKNOWN_SECRET'
  | 'REVOKED_SECRET'
  | 'FOREIGN_CLIENT_ID'
  | 'CONTAINED'
  | 'FOREIGN_AUTHORITY'
  | 'FOREIGN_ACCOUNT'
  | 'FOREIGN_FLEET'
  | 'WRONG_STATE'
  | 'WRONG_SUBJECT'
  | 'UNKNOWN_DEVICE'
  | 'ALREADY_PROVISIONED';

/**
 * Somebody may not come in, and no retry changes that. Match on `code`. The issue names what was looked at and what
 * would have been right, never what was there: it goes to the log, and what was there may be a secret.
 */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: RefusalCode;
  /** `path: problem` */
  readonly issue: string;

  constructor(code: RefusalCode, issue: string) {
    super(`${code}: ${issue}`);
    this.code = code;
    this.issue = issue;
  }
}

/** @throws {RefusedError} always; the path is made harmless here */
export function refuse(code: RefusalCode, path: string, problem: string): never {
  throw new RefusedError(code, `${safeText(path, 80)}: ${problem}`);
}
