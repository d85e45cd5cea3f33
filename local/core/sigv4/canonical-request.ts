import { createHash } from 'node:crypto';

/** A request as it arrived, before anything was decoded. */
export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** Percent-encoded, without the question mark. */
  readonly query: string;
  /** One entry a header line, names in any letter case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export type Parameter = readonly [name: string, value: string];

export const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex');

/** Percent-encodes all but the unreserved characters of RFC 3986, 2.3. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/**
 * The path, normalised and encoded once more, as every service but S3 signs it.
 * @see AWS Signature Version 4, "Create a canonical request"
 */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.map(encode).join('/')}${end}`;
}

/** @throws {URIError} for a percent sign that encodes no UTF-8 */
export function queryParameters(query: string): Parameter[] {
  return query
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const at = piece.indexOf('=');
      const [name, value] = at < 0 ? [piece, ''] : [piece.slice(0, at), piece.slice(at + 1)];
      return [decodeURIComponent(name), decodeURIComponent(value)] as const;
    });
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const canonicalQuery = (parameters: readonly Parameter[]): string =>
  parameters
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .toSorted(([a, x], [b, y]) => byCodeUnit(a, b) || byCodeUnit(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

/** All values of a header as they are signed: lines joined, runs of blanks made one. Undefined where there is none. */
export function headerValue({ headers }: SignedRequest, name: string): string | undefined {
  const lines = headers.filter(([each]) => each.toLowerCase() === name);
  if (lines.length === 0) return undefined;
  return lines.map(([, value]) => value.trim().replace(/ +/g, ' ')).join(',');
}

/** @param parameters  those of the query that are signed */
export function canonicalRequest(
  request: SignedRequest,
  parameters: readonly Parameter[],
  signedHeaders: readonly string[],
): string {
  const lines = signedHeaders.map((name) => `${name}:${headerValue(request, name) ?? ''}\n`);
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(parameters),
    lines.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
}
