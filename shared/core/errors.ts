export type RejectionCode =
  | 'MALFORMED_RECORD'
  | 'MALFORMED_ENVELOPE'
  | 'UNSUPPORTED_VERSION'
  | 'UNKNOWN_SOURCE'
  | 'MALFORMED_TOPIC'
  | 'UNKNOWN_KIND'
  | 'MALFORMED_PAYLOAD'
  | 'PAYLOAD_TOO_LARGE'
  | 'CLOCK_OUT_OF_RANGE'
  | 'FLEET_MISMATCH'
  | 'MALFORMED_READING'
  | 'READING_TOO_LARGE'
  | 'STATE_TOO_LARGE'
  | 'MALFORMED_SIGNAL'
  | 'MALFORMED_NOTIFICATION'
  | 'FOREIGN_NOTIFICATION'
  | LorawanCode;

/** What can be wrong with an uplink of LoRaWAN, beside what a codec does wrong. */
type LorawanCode =
  | 'MALFORMED_UPLINK'
  | 'UNSUPPORTED_NETWORK'
  | 'REPLAYED_FRAME'
  | 'DEVICE_UNASSIGNED'
  | 'CODEC_UNAVAILABLE'
  | 'CODEC_SUSPENDED'
  | 'CODEC_FAILED'
  | 'ENCRYPTION_REFUSED'
  | 'DECRYPTION_FAILED';

/** Input that no retry can mend. Match on `code`; the issues are for people and may change. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError';
  readonly code: RejectionCode;
  /** One `path: problem` per finding; names fields, never holds their text. */
  readonly issues: readonly string[];

  constructor(code: RejectionCode, issues: readonly string[], cause?: unknown) {
    super(`${code}: ${issues.join('; ')}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.issues = issues;
  }
}

const PATH_LIMIT_CHARS = 160;
/** Controls, bidirectional marks, line separators and lone surrogates: what could forge or hide a line of a log. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** @throws {RejectedError} always: one finding at one place; the path may be hostile and is made harmless here. */
export function reject(code: RejectionCode, path: string, problem: string): never {
  throw new RejectedError(code, [`${safeText(path, PATH_LIMIT_CHARS)}: ${problem}`]);
}

/** Text of unknown origin, fit to be shown: unsafe characters escaped, no longer than `limitChars`. */
export function safeText(text: string, limitChars: number): string {
  const cut = text.length > limitChars ? `${text.slice(0, limitChars)}…` : text;
  return cut.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
