import { ByteReader } from './byte-reader.ts';
import { checkProperties } from './properties.ts';
import { ProtocolFault, Reason, UnknownProtocol } from './reason.ts';

export type ProtocolVersion = 4 | 5;

/** Control packet types by number [MQTT5 2.1.2]. */
const TYPES = [
  'reserved 0',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
] as const;

export type PacketType = (typeof TYPES)[number];

type Check = (reader: ByteReader, version: ProtocolVersion, flags: number) => void;

const CHECKS: Partial<Record<PacketType, Check>> = {
  CONNECT: checkConnect,
  PUBLISH: checkPublish,
  PUBACK: checkPuback,
  SUBSCRIBE: checkSubscribe,
  UNSUBSCRIBE: checkUnsubscribe,
  PINGREQ: () => undefined,
  DISCONNECT: checkDisconnect,
};

const FLAGS: Partial<Record<PacketType, number>> = { SUBSCRIBE: 2, UNSUBSCRIBE: 2 };

const malformed = (problem: string): ProtocolFault => new ProtocolFault(Reason.malformed, problem);

/** @returns the type named by a packet's first byte */
export const packetType = (bytes: Buffer): PacketType =>
  TYPES[(bytes[0] ?? 0) >> 4] ?? 'reserved 0';

/**
 * Holds one whole packet of a client against the specification, field by field, before the codec reads
 * it: the codec is lenient about lengths that reach past the packet, bad UTF-8, misplaced properties
 * and packet identifier 0.
 *
 * @throws {ProtocolFault} saying which field is at fault; also for types that AWS does not support
 * (QoS 2's, AUTH) and those only a server sends
 * @throws {UnknownProtocol} for a CONNECT that is neither MQTT 3.1.1 nor 5
 */
export function checkStructure(bytes: Buffer, version: ProtocolVersion): void {
  const type = packetType(bytes);
  const check = CHECKS[type];
  if (check === undefined) {
    throw new ProtocolFault(Reason.protocolError, `${type} from a client is not supported`);
  }
  const flags = (bytes[0] ?? 0) & 0x0f;
  if (type !== 'PUBLISH' && flags !== (FLAGS[type] ?? 0)) {
    throw malformed(`${type} has header flags ${flags} instead of ${FLAGS[type] ?? 0}`);
  }
  const reader = new ByteReader(bytes, headerLength(bytes));
  check(reader, version, flags);
  if (reader.left > 0 && type !== 'PUBLISH') {
    throw malformed(`${type} has ${reader.left} bytes after its last field`);
  }
}

function headerLength(bytes: Buffer): number {
  let at = 1;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  return at + 1;
}

function checkConnect(reader: ByteReader): void {
  const name = reader.text('protocol name');
  const level = reader.byte('protocol level');
  if (name !== 'MQTT' || (level !== 4 && level !== 5)) {
    const asked = `${JSON.stringify(name.slice(0, 16))} level ${level}`;
    throw new UnknownProtocol(
      `asks for protocol ${asked}; MQTT 3.1.1 (4) and 5 (5) are spoken here`,
    );
  }
  const flags = reader.byte('connect flags');
  checkConnectFlags(flags, level);
  reader.uint16('keep-alive');
  if (level === 5) checkProperties(reader, 'CONNECT');
  reader.text('client id');
  if ((flags & 0x04) !== 0) checkWill(reader, level);
  if ((flags & 0x80) !== 0) reader.text('user name');
  if ((flags & 0x40) !== 0) reader.binary('password');
}

function checkConnectFlags(flags: number, level: number): void {
  const willQos = (flags >> 3) & 3;
  if ((flags & 0x01) !== 0) throw malformed('connect flags have their reserved bit set');
  if (willQos === 3) throw malformed('Will QoS is 3');
  if ((flags & 0x04) === 0 && (flags & 0x38) !== 0) throw malformed('Will flags without a Will');
  if (level === 4 && (flags & 0xc0) === 0x40) throw malformed('password without a user name');
}

function checkWill(reader: ByteReader, level: number): void {
  if (level === 5) checkProperties(reader, 'Will');
  reader.text('Will topic');
  reader.binary('Will payload');
}

function checkPublish(reader: ByteReader, version: ProtocolVersion, flags: number): void {
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw malformed('PUBLISH has QoS 3');
  reader.text('topic');
  if (qos > 0) packetIdentifier(reader);
  if (version === 5) checkProperties(reader, 'PUBLISH');
}

function checkPuback(reader: ByteReader, version: ProtocolVersion): void {
  packetIdentifier(reader);
  if (version !== 5 || reader.left === 0) return;
  reader.byte('reason code');
  if (reader.left > 0) checkProperties(reader, 'PUBACK');
}

function checkSubscribe(reader: ByteReader, version: ProtocolVersion): void {
  packetIdentifier(reader);
  if (version === 5) checkProperties(reader, 'SUBSCRIBE');
  if (reader.left === 0) throw new ProtocolFault(Reason.protocolError, 'SUBSCRIBE names no filter');
  while (reader.left > 0) {
    reader.text('topic filter');
    checkSubscribeOptions(reader.byte('subscription options'), version);
  }
}

function checkSubscribeOptions(options: number, version: ProtocolVersion): void {
  if ((options & 3) === 3) throw malformed('subscription asks for QoS 3');
  const reserved = version === 5 ? 0xc0 : 0xfc;
  if ((options & reserved) !== 0) throw malformed('subscription options have reserved bits set');
  if ((options & 0x30) === 0x30) throw malformed('subscription has Retain Handling 3');
}

function checkUnsubscribe(reader: ByteReader, version: ProtocolVersion): void {
  packetIdentifier(reader);
  if (version === 5) checkProperties(reader, 'UNSUBSCRIBE');
  if (reader.left === 0)
    throw new ProtocolFault(Reason.protocolError, 'UNSUBSCRIBE names no filter');
  while (reader.left > 0) reader.text('topic filter');
}

function checkDisconnect(reader: ByteReader, version: ProtocolVersion): void {
  if (version !== 5 || reader.left === 0) return;
  reader.byte('reason code');
  if (reader.left > 0) checkProperties(reader, 'DISCONNECT');
}

function packetIdentifier(reader: ByteReader): void {
  if (reader.uint16('packet identifier') === 0) throw malformed('packet identifier is 0');
}
