import { ProtocolFault, Reason } from './reason.ts';

const LONGEST_HEADER = 5;

export interface Framer {
  /**
   * @returns the packets that became whole with this chunk, each exactly its own bytes
   * @throws {ProtocolFault} for a length that is no variable byte integer, or above the limit
   */
  push(chunk: Buffer): Buffer[];
  /** Bytes of a packet begun and not ended. */
  readonly pendingBytes: number;
}

/**
 * Cuts a byte stream into MQTT packets before anything parses them, so that a packet's own lengths
 * can lie only within its own bytes and a huge one is refused by its header.
 */
export function createFramer(packetBytes: number): Framer {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 0;

  const joined = (): Buffer => {
    const [first] = chunks;
    const all = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size);
    chunks = [all];
    return all;
  };

  const keep = (rest: Buffer): void => {
    chunks = rest.length === 0 ? [] : [rest];
    size = rest.length;
  };

  return {
    push(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size < wanted) return [];
      const packets: Buffer[] = [];
      let rest = joined();
      for (;;) {
        wanted = packetLength(rest, packetBytes);
        if (wanted === 0 || rest.length < wanted) break;
        packets.push(rest.subarray(0, wanted));
        rest = rest.subarray(wanted);
      }
      keep(rest);
      return packets;
    },
    get pendingBytes() {
      return size;
    },
  };
}

/** @returns the whole packet's length by its fixed header, 0 while the header is incomplete. */
function packetLength(bytes: Buffer, limit: number): number {
  let remaining = 0;
  let factor = 1;
  for (let at = 1; at < LONGEST_HEADER; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return 0;
    remaining += (byte & 0x7f) * factor;
    factor *= 0x80;
    if (byte < 0x80) return within(at + 1 + remaining, limit);
  }
  throw new ProtocolFault(Reason.malformed, 'remaining length has more than 4 bytes');
}

function within(length: number, limit: number): number {
  if (length <= limit) return length;
  const problem = `packet of ${length} bytes is larger than the ${limit} that are allowed`;
  throw new ProtocolFault(Reason.quotaExceeded, problem);
}
