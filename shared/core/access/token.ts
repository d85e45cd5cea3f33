import { refuseDuplicates } from '../payload/json.ts';
import { type RefusalCode, refuse } from './refused.ts';

/** A token's parts as anybody could have written them; nothing is believed before its signature is. */
export interface Token {
  /** The compact form, the only one there is of these bytes. */
  readonly text: string;
  readonly algorithm: string;
  readonly keyId: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** ASCII only, so characters are bytes. An access token of a user pool takes about 1,000. */
const TOKEN_LIMIT_CHARS = 8_192;
const DEPTH_LIMIT = 8;
const COMPACT = /^[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}$/;

/** Header members that change what is verified, or with which key. */
const FORBIDDEN = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'zip', 'enc', 'epk', 'p2s', 'p2c'];

/** A security event or a proof of possession is signed by the same keys and is no token of access. */
const TYPE = /^(?:application\/)?(?:jwt|at\+jwt)$/i;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Takes a compact JWS apart: size first, then form, then JSON without duplicate members.
 *
 * @throws {RefusedError} `TOKEN_TOO_LARGE`, `MALFORMED_TOKEN` or `FORBIDDEN_HEADER`
 * @see RFC 7515, clause 7.1; RFC 7519, clause 4; RFC 8725, clauses 3.1 and 3.11
 */
export function readToken(text: string): Token {
  if (text.length > TOKEN_LIMIT_CHARS) {
    refuse('TOKEN_TOO_LARGE', 'token', `is longer than ${TOKEN_LIMIT_CHARS} characters`);
  }
  if (!COMPACT.test(text)) malformed('token', 'wants three parts of base64url');
  const [head = '', body = '', signature = ''] = text.split('.');
  bytesOf(signature, 'signature');
  const header = readObject(head, 'header');
  for (const name of FORBIDDEN) {
    if (Object.hasOwn(header, name)) refuse('FORBIDDEN_HEADER', `header.${name}`, 'is not taken');
  }
  const { alg, kid, typ } = header;
  if (typ !== undefined && !(typeof typ === 'string' && TYPE.test(typ))) {
    refuse('FORBIDDEN_HEADER', 'header.typ', 'wants JWT or at+jwt');
  }
  return {
    text,
    algorithm: textOf(alg, 'header.alg', 16),
    keyId: textOf(kid, 'header.kid', 256),
    claims: readObject(body, 'claims'),
  };
}

function readObject(part: string, path: string): Readonly<Record<string, unknown>> {
  const text = decode(part, path);
  const value = parse(text, path);
  if (!isRecord(value)) return malformed(path, 'is not a JSON object');
  const members = countMembers(value, 1, path);
  try {
    refuseDuplicates(text, members);
  } catch {
    malformed(path, 'has a member twice');
  }
  return value;
}

/** Only one text stands for some bytes: one with other bits behind them would be another name of the same token. */
function bytesOf(part: string, path: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) malformed(path, 'is not canonical base64url');
  return bytes;
}

function decode(part: string, path: string): string {
  const bytes = bytesOf(part, path);
  try {
    return utf8.decode(bytes);
  } catch {
    return malformed(path, 'is not UTF-8');
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return malformed(path, 'is not JSON');
  }
}

function countMembers(value: unknown, depth: number, path: string): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > DEPTH_LIMIT) malformed(path, `is nested deeper than ${DEPTH_LIMIT} levels`);
  let members = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const member of Object.values(value)) members += countMembers(member, depth + 1, path);
  return members;
}

function textOf(value: unknown, path: string, limit: number): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= limit) return value;
  return malformed(path, `wants a text of 1 to ${limit} characters`);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MALFORMED: RefusalCode = 'MALFORMED_TOKEN';
const malformed = (path: string, problem: string): never => refuse(MALFORMED, path, problem);
