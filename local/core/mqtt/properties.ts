import type { ByteReader } from './byte-reader.ts';
import { ProtocolFault, Reason } from './reason.ts';

/** Where MQTT 5 properties can stand in what a client sends. */
export type PropertyPlace =
  | 'CONNECT'
  | 'Will'
  | 'PUBLISH'
  | 'PUBACK'
  | 'SUBSCRIBE'
  | 'UNSUBSCRIBE'
  | 'DISCONNECT';

type Kind =
  | 'flag'
  | 'uint16'
  | 'uint32'
  | 'positive16'
  | 'positive32'
  | 'varint'
  | 'text'
  | 'binary'
  | 'pair';

interface Property {
  readonly name: string;
  readonly kind: Kind;
  readonly places: readonly PropertyPlace[];
}

const property = (name: string, kind: Kind, ...places: PropertyPlace[]): Property => ({
  name,
  kind,
  places,
});

/** MQTT 5, table 2-4: the properties a client may send; 0x26 may repeat, the others not. */
const PROPERTIES: ReadonlyMap<number, Property> = new Map([
  [0x01, property('Payload Format Indicator', 'flag', 'PUBLISH', 'Will')],
  [0x02, property('Message Expiry Interval', 'uint32', 'PUBLISH', 'Will')],
  [0x03, property('Content Type', 'text', 'PUBLISH', 'Will')],
  [0x08, property('Response Topic', 'text', 'PUBLISH', 'Will')],
  [0x09, property('Correlation Data', 'binary', 'PUBLISH', 'Will')],
  [0x0b, property('Subscription Identifier', 'varint', 'SUBSCRIBE')],
  [0x11, property('Session Expiry Interval', 'uint32', 'CONNECT', 'DISCONNECT')],
  [0x15, property('Authentication Method', 'text', 'CONNECT')],
  [0x16, property('Authentication Data', 'binary', 'CONNECT')],
  [0x17, property('Request Problem Information', 'flag', 'CONNECT')],
  [0x18, property('Will Delay Interval', 'uint32', 'Will')],
  [0x19, property('Request Response Information', 'flag', 'CONNECT')],
  [0x1f, property('Reason String', 'text', 'PUBACK', 'DISCONNECT')],
  [0x21, property('Receive Maximum', 'positive16', 'CONNECT')],
  [0x22, property('Topic Alias Maximum', 'uint16', 'CONNECT')],
  [0x23, property('Topic Alias', 'uint16', 'PUBLISH')],
  [
    0x26,
    property(
      'User Property',
      'pair',
      'CONNECT',
      'Will',
      'PUBLISH',
      'PUBACK',
      'SUBSCRIBE',
      'UNSUBSCRIBE',
      'DISCONNECT',
    ),
  ],
  [0x27, property('Maximum Packet Size', 'positive32', 'CONNECT')],
]);

const USER_PROPERTY = 0x26;

/** @throws {ProtocolFault} for a property that is unknown, out of place, repeated, or of a wrong value. */
export function checkProperties(reader: ByteReader, place: PropertyPlace): void {
  const length = reader.variableByteInteger(`${place} properties' length`);
  if (length > reader.left) {
    throw new ProtocolFault(Reason.malformed, `${place} properties reach past the packet's end`);
  }
  const end = reader.position + length;
  const seen = new Set<number>();
  while (reader.position < end) checkProperty(reader, place, seen);
  if (reader.position === end) return;
  throw new ProtocolFault(
    Reason.malformed,
    `${place} properties are longer than their length says`,
  );
}

function checkProperty(reader: ByteReader, place: PropertyPlace, seen: Set<number>): void {
  const id = reader.byte('property identifier');
  const known = PROPERTIES.get(id);
  if (known === undefined) {
    throw new ProtocolFault(Reason.malformed, `0x${id.toString(16)} is no property of a client`);
  }
  if (!known.places.includes(place)) {
    throw new ProtocolFault(Reason.protocolError, `${known.name} does not belong into ${place}`);
  }
  if (seen.has(id) && id !== USER_PROPERTY) {
    throw new ProtocolFault(Reason.protocolError, `${known.name} stands twice in ${place}`);
  }
  seen.add(id);
  READERS[known.kind](reader, known.name);
}

const READERS: Record<Kind, (reader: ByteReader, name: string) => void> = {
  flag: (reader, name) => inRange(name, reader.byte(name), 0, 1),
  uint16: (reader, name) => void reader.uint16(name),
  uint32: (reader, name) => void reader.uint32(name),
  positive16: (reader, name) => inRange(name, reader.uint16(name), 1, 0xffff),
  positive32: (reader, name) => inRange(name, reader.uint32(name), 1, 0xffffffff),
  varint: (reader, name) => inRange(name, reader.variableByteInteger(name), 1, 268_435_455),
  text: (reader, name) => void reader.text(name),
  binary: (reader, name) => void reader.binary(name),
  pair: (reader, name) => {
    reader.text(`${name} name`);
    reader.text(`${name} value`);
  },
};

function inRange(name: string, value: number, low: number, high: number): void {
  if (value >= low && value <= high) return;
  throw new ProtocolFault(
    Reason.protocolError,
    `${name} is ${value}; it must be ${low} to ${high}`,
  );
}
