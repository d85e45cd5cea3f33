import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { AwsError } from '../operations/operation.ts';

/** A request or an answer of either version of HTTP. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** A request read whole. */
export interface AwsRequest {
  readonly id: string;
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly credential: Credential | undefined;
}

/** What SigV4 says of the signer, in the clear. */
export interface Credential {
  readonly accessKeyId: string;
  readonly region: string;
  /** Signing name, as `kinesis` or `iotdata`. */
  readonly service: string;
}

const CREDENTIAL = /^([^/\s,]+)\/\d{8}\/([^/\s,]+)\/([^/\s,]+)\/aws4_request/;

/**
 * @throws {AwsError} for a request that is too large, in an encoding this endpoint does not speak, or
 * sent by a web page
 */
export async function readRequest(
  raw: HttpRequest,
  id: string,
  limitBytes: number,
): Promise<AwsRequest> {
  const headers = Object.fromEntries(
    Object.entries(raw.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
  const body = await readBody(raw, limitBytes);
  refuseBrowsers(headers);
  refuseEncodings(headers);
  const [path = '/', search = ''] = (raw.url ?? '/').split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const credential = findCredential(headers, query);
  return { id, method: raw.method ?? 'GET', path, query, headers, body, credential };
}

async function readBody(raw: HttpRequest, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // what is too large is still read to its end: a client that is writing would not see the answer
    for await (const chunk of raw) {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
    }
  } catch {
    throw new AwsError('RequestAbortedException', 'The client hung up in the middle of a request.');
  }
  if (bytes <= limitBytes) return Buffer.concat(chunks);
  const message = `The request has ${bytes} bytes; this endpoint takes ${limitBytes}.`;
  throw new AwsError('RequestEntityTooLargeException', message, 413);
}

/** A web page must not act as the operator, be it by a form or by a name that leads to this machine. */
function refuseBrowsers(headers: AwsRequest['headers']): void {
  const host = headers[':authority'] ?? headers['host'] ?? '';
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const isLocal = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(name);
  if (isLocal && headers['origin'] === undefined) return;
  const what = isLocal ? 'requests of web pages (they carry Origin)' : `requests for host ${name}`;
  throw new AwsError(
    'AccessDeniedException',
    `This endpoint does not answer ${what}; it is there for clients of this machine, at 127.0.0.1 or localhost.`,
    403,
  );
}

function refuseEncodings(headers: AwsRequest['headers']): void {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers;
  const refused = type.includes('cbor') ? type : encoding;
  if (refused === 'identity') return;
  const message = `This endpoint does not read ${refused}: send plain JSON.`;
  throw new AwsError('UnsupportedMediaTypeException', message, 415);
}

function findCredential(
  { authorization = '' }: AwsRequest['headers'],
  query: URLSearchParams,
): Credential | undefined {
  const inHeader = /^AWS4-\S+ .*?Credential=(\S+)/s.exec(authorization)?.[1];
  const found = CREDENTIAL.exec(inHeader ?? query.get('X-Amz-Credential') ?? '');
  const [, accessKeyId, region, service] = found ?? [];
  if (accessKeyId === undefined || region === undefined || service === undefined) return undefined;
  return { accessKeyId, region, service };
}

/**
 * @returns the members of a JSON body, none for an empty one
 * @throws  {AwsError} `SerializationException` for anything but a JSON object
 */
export function jsonMembers(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  const value = parseJson(body);
  if (isMembers(value)) return value;
  throw new AwsError('SerializationException', 'The request body is JSON, but not an object.');
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new AwsError('SerializationException', `The request body is not JSON: ${why}`);
  }
}
