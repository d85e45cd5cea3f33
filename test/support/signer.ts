import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { SignedRequest } from '../../local/core/sigv4/index.ts';

/** The signer of the AWS SDK for JavaScript, which shares nothing with the laptop's verification. */
export interface Signing {
  readonly service?: string;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  readonly atMs: number;
}

export interface Unsigned {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()));
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

const signerOf = ({
  service = 'iotdevicegateway',
  region = 'eu-central-1',
  accessKeyId = 'AKIDTEST',
  secretAccessKey = 'secret',
  sessionToken,
}: Signing) =>
  new SignatureV4({
    service,
    region,
    sha256: Sha256,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
    },
  });

const requestOf = ({
  method = 'GET',
  path = '/mqtt',
  query = {},
  headers = {},
  body,
}: Unsigned) => ({
  method,
  protocol: 'https:',
  hostname: 'localhost',
  path,
  query: { ...query },
  headers: { host: 'localhost:9443', ...headers },
  ...(body !== undefined && { body }),
});

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );

interface Signed {
  readonly method: string;
  readonly path: string;
  readonly query?: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const received = ({ method, path, query, headers, body = '' }: Signed): SignedRequest => ({
  method,
  path,
  query: Object.entries((query ?? {}) as Record<string, string>)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&'),
  headers: Object.entries(headers),
  body: Buffer.from(body),
});

/** Signed in the `Authorization` header, as it arrives. */
export async function signInHeader(request: Unsigned, signing: Signing): Promise<SignedRequest> {
  const signed = await signerOf(signing).sign(requestOf(request), {
    signingDate: new Date(signing.atMs),
  });
  return received(signed as Signed);
}

/** Presigned; for IoT's WebSocket the session token is appended after signing, as AWS IoT wants it. */
export async function presign(
  request: Unsigned,
  { sessionToken, ...signing }: Signing,
  { expiresIn = 300, tokenInside = false } = {},
): Promise<SignedRequest> {
  const inside = tokenInside && sessionToken !== undefined ? { sessionToken } : {};
  const signed = await signerOf({ ...signing, ...inside }).presign(requestOf(request), {
    signingDate: new Date(signing.atMs),
    expiresIn,
  });
  const made = received(signed as Signed);
  if (tokenInside || sessionToken === undefined) return made;
  return { ...made, query: `${made.query}&X-Amz-Security-Token=${encode(sessionToken)}` };
}
