import { generate, type Packet, parser } from 'mqtt-packet';
import { ProtocolFault, Reason } from './reason.ts';
import { checkStructure, type ProtocolVersion } from './structure.ts';

export interface Decoder {
  /**
   * Reads one whole packet of a client, cut out by the framer.
   *
   * @throws {ProtocolFault | UnknownProtocol} see `checkStructure`
   */
  decode(bytes: Buffer): Packet;
}

/** What the codec's synchronous events left behind. */
interface Parsed {
  packet?: Packet;
  fault?: unknown;
}

/** One per connection: the version that its CONNECT names holds for all packets after. */
export function createDecoder(): Decoder {
  const codec = parser();
  let version: ProtocolVersion = 4;
  let parsed: Parsed = {};
  codec.on('packet', (packet) => {
    parsed.packet = packet;
  });
  codec.on('error', (fault: unknown) => {
    parsed.fault ??= fault;
  });

  const parse = (bytes: Buffer): Packet => {
    parsed = {};
    try {
      codec.parse(bytes);
    } catch (fault) {
      parsed.fault ??= fault;
    }
    const { packet, fault } = parsed;
    if (packet !== undefined && fault === undefined) return packet;
    throw new ProtocolFault(Reason.malformed, `unreadable packet: ${String(fault ?? 'cut short')}`);
  };

  return {
    decode(bytes) {
      checkStructure(bytes, version);
      const packet = parse(bytes);
      if (packet.cmd === 'connect') version = packet.protocolVersion === 5 ? 5 : 4;
      return packet;
    },
  };
}

export const encode = (packet: Packet, version: ProtocolVersion): Buffer =>
  generate(packet, { protocolVersion: version });

const PINGRESP = Buffer.from([0xd0, 0x00]);

export const encodePingresp = (): Buffer => PINGRESP;

/** PUBACK without properties: 4 bytes, or 5 where an MQTT 5 reason other than success has to be told. */
export function encodePuback(messageId: number, code: number): Buffer {
  const bytes = Buffer.from([0x40, 0x02, messageId >> 8, messageId & 0xff, code]);
  if (code === Reason.success) return bytes.subarray(0, 4);
  bytes[1] = 3;
  return bytes;
}
