import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { MessageProperties, Qos } from '../core/mqtt/message.ts';

/** An answer other than 200; its message goes to the device. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(statusCode: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.statusCode = statusCode;
    this.headers = headers;
  }
}

/** What path, query and headers of an HTTPS publish ask for. */
export interface PublishRequest {
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: MessageProperties;
  readonly messageExpirySeconds?: number;
}

const bad = (message: string): HttpError => new HttpError(400, message);

/**
 * Reads the request line and headers; parameters it does not know are left to others, as AWS does.
 *
 * @throws {HttpError} 400, 404 or 405, saying what is wrong and what would be right
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/http.html
 */
export function parsePublish({ method, url = '', headers }: IncomingMessage): PublishRequest {
  const queryAt = url.indexOf('?');
  const path = queryAt === -1 ? url : url.slice(0, queryAt);
  const query = new URLSearchParams(queryAt === -1 ? '' : url.slice(queryAt + 1));
  if (!path.startsWith('/topics/')) {
    throw new HttpError(404, `nothing is at ${JSON.stringify(path)}; publish to /topics/TOPIC`);
  }
  if (method !== 'POST') {
    throw new HttpError(405, `${method} is not possible here; publish with POST`, {
      allow: 'POST',
    });
  }
  const messageExpirySeconds = expiryOf(query);
  return {
    topic: decodeTopic(path.slice('/topics/'.length)),
    qos: qosOf(query),
    retain: retainOf(query),
    properties: propertiesOf(query, headers),
    ...(messageExpirySeconds !== undefined && { messageExpirySeconds }),
  };
}

function decodeTopic(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw bad(`topic ${JSON.stringify(encoded)} is not URL-encoded UTF-8`);
  }
}

function qosOf(query: URLSearchParams): Qos {
  const qos = query.get('qos') ?? '0';
  if (qos === '0') return 0;
  if (qos === '1') return 1;
  throw bad(`qos is ${JSON.stringify(qos)}; it must be 0 or 1`);
}

function retainOf(query: URLSearchParams): boolean {
  const retain = query.get('retain') ?? 'false';
  if (retain !== 'true' && retain !== 'false') {
    throw bad(`retain is ${JSON.stringify(retain)}; it must be true or false`);
  }
  return retain === 'true';
}

function expiryOf(query: URLSearchParams): number | undefined {
  const expiry = query.get('messageExpiry');
  if (expiry === null) return undefined;
  if (/^\d{1,10}$/.test(expiry)) return Number(expiry);
  throw bad(`messageExpiry is ${JSON.stringify(expiry)}; it must be a number of seconds`);
}

function propertiesOf(query: URLSearchParams, headers: IncomingHttpHeaders): MessageProperties {
  const contentType = query.get('contentType');
  const responseTopic = query.get('responseTopic');
  const correlationData = headerOf(headers, 'x-amz-mqtt5-correlation-data');
  const userProperties = headerOf(headers, 'x-amz-mqtt5-user-properties');
  const indicator = headerOf(headers, 'x-amz-mqtt5-payload-format-indicator');
  return {
    ...(contentType !== null && { contentType }),
    ...(responseTopic !== null && { responseTopic }),
    ...(correlationData !== undefined && {
      correlationData: base64Of('x-amz-mqtt5-correlation-data', correlationData),
    }),
    ...(userProperties !== undefined && { userProperties: userPropertiesOf(userProperties) }),
    ...(indicator !== undefined && { payloadFormatIndicator: isUtf8(indicator) }),
  };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

function base64Of(name: string, value: string): Buffer {
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return Buffer.from(value, 'base64');
  throw bad(`${name} is not base64`);
}

function isUtf8(indicator: string): boolean {
  if (indicator === 'UTF8_DATA') return true;
  if (indicator === 'UNSPECIFIED_BYTES') return false;
  const values = 'UTF8_DATA or UNSPECIFIED_BYTES';
  throw bad(`x-amz-mqtt5-payload-format-indicator is neither ${values}`);
}

const UserProperties = z.array(z.record(z.string(), z.string()));

function userPropertiesOf(value: string): readonly (readonly [string, string])[] {
  const name = 'x-amz-mqtt5-user-properties';
  const parsed = UserProperties.safeParse(jsonOf(base64Of(name, value).toString('utf8')));
  if (parsed.success) return parsed.data.flatMap((each) => Object.entries(each));
  throw bad(`${name} is not base64 of a JSON array like [{"name":"value"}]`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The body, which is the payload as it is.
 *
 * @throws {HttpError} 413 where it is longer than `limit` bytes, before the rest of it is read
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = (bytes: number): HttpError =>
    new HttpError(413, `payload of ${bytes} bytes or more; at most ${limit} are allowed`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) throw tooLarge(announced);
  const chunks: Buffer[] = [];
  let size = 0;
  // leaving the loop must not take the connection with it: the answer is still to be sent
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLarge(size);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
