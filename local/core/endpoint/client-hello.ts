/** What a TLS client asks for before anything is agreed on. */
export interface ClientHello {
  readonly serverName?: string;
  /** Application protocols in the client's order of preference; none where it does not speak of them. */
  readonly alpn: readonly string[];
}

export type Reading =
  | { readonly state: 'incomplete' }
  | { readonly state: 'not-tls' }
  | { readonly state: 'read'; readonly hello: ClientHello };

const INCOMPLETE: Reading = { state: 'incomplete' };
const NOT_TLS: Reading = { state: 'not-tls' };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
/** More than any client sends; what is longer is left to OpenSSL to refuse. */
const LONGEST = 64 * 1024;

/**
 * Looks into the first bytes of a TLS connection for server name and application protocols, so that the right
 * settings can be chosen before the handshake: Node asks for certificates and sets versions a server, not a name.
 *
 * @see RFC 8446, 4.1.2 and 5.1; RFC 6066, 3; RFC 7301, 3.1
 */
export function readClientHello(bytes: Uint8Array): Reading {
  const message = handshakeOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  if (!Buffer.isBuffer(message)) return message;
  const extensions = extensionsOf(new Reader(message));
  if (extensions === undefined) return NOT_TLS;
  const serverName = nameIn(extensions.get(SERVER_NAME));
  const alpn = protocolsIn(extensions.get(ALPN));
  return { state: 'read', hello: { alpn, ...(serverName !== undefined && { serverName }) } };
}

/** The ClientHello message, put together from as many records as it was cut into. */
function handshakeOf(bytes: Buffer): Buffer | Reading {
  const pieces: Buffer[] = [];
  let length = 0;
  for (let at = 0; at < LONGEST; ) {
    const [type, major] = [bytes[at], bytes[at + 1]];
    if ((type ?? HANDSHAKE_RECORD) !== HANDSHAKE_RECORD || (major ?? 3) !== 3) return NOT_TLS;
    if (bytes.length < at + 5) return INCOMPLETE;
    const size = bytes.readUInt16BE(at + 3);
    const piece = bytes.subarray(at + 5, at + 5 + size);
    if (size === 0) return NOT_TLS;
    pieces.push(piece);
    length += piece.length;
    const message = Buffer.concat(pieces, length);
    if (message.length > 0 && message[0] !== CLIENT_HELLO) return NOT_TLS;
    if (message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3)) {
      return message.subarray(4, 4 + message.readUIntBE(1, 3));
    }
    if (piece.length < size) return INCOMPLETE;
    at += 5 + size;
  }
  return NOT_TLS;
}

/** Reads on and never past the end: what is short reads as empty. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(width: 1 | 2): number {
    const value = this.left < width ? 0 : this.#bytes.readUIntBE(this.#at, width);
    this.#at += width;
    return value;
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}

const VERSION_AND_RANDOM = 34;

function extensionsOf(reader: Reader): ReadonlyMap<number, Buffer> | undefined {
  reader.take(VERSION_AND_RANDOM);
  reader.take(reader.number(1)); // session id
  reader.take(reader.number(2)); // cipher suites
  reader.take(reader.number(1)); // compression methods
  if (reader.left < 0) return undefined;
  const extensions = new Map<number, Buffer>();
  if (reader.left === 0) return extensions;
  const rest = new Reader(reader.take(reader.number(2)));
  while (rest.left > 0) extensions.set(rest.number(2), rest.take(rest.number(2)));
  return extensions;
}

function nameIn(extension: Buffer | undefined): string | undefined {
  if (extension === undefined) return undefined;
  const list = new Reader(extension);
  list.number(2);
  while (list.left > 0) {
    const type = list.number(1);
    const name = list.take(list.number(2));
    if (type === 0 && name.length > 0) return name.toString('latin1').toLowerCase();
  }
  return undefined;
}

function protocolsIn(extension: Buffer | undefined): readonly string[] {
  if (extension === undefined) return [];
  const list = new Reader(extension);
  list.number(2);
  const names: string[] = [];
  while (list.left > 0) names.push(list.take(list.number(1)).toString('latin1'));
  return names;
}
