/** Bytes sent on a raw TLS connection and what comes back, in hex; spaces are for the reader. */
export interface ByteCase {
  readonly name: string;
  /** The version of a good CONNECT that is sent before, its CONNACK left out of `expect`. */
  readonly after?: 4 | 5;
  readonly send: string;
  readonly expect: string;
  /** Whether the gateway ends the connection. */
  readonly closed: boolean;
  /** What the operator is told. */
  readonly told?: RegExp;
}

const bye = (code: string): string => `e002 ${code}00`;

const ends = (
  name: string,
  after: 4 | 5 | undefined,
  send: string,
  told: RegExp,
  expect = '',
): ByteCase => ({ name, send, expect, closed: true, told, ...(after !== undefined && { after }) });

const lasts = (name: string, after: 4 | 5, send: string, expect: string): ByteCase => ({
  name,
  after,
  send,
  expect,
  closed: false,
});

const malformed5 = (name: string, send: string, told: RegExp): ByteCase =>
  ends(name, 5, send, told, bye('81'));
const protocol5 = (name: string, send: string, told: RegExp): ByteCase =>
  ends(name, 5, send, told, bye('82'));
const first = (name: string, send: string, told: RegExp, expect = ''): ByteCase =>
  ends(name, undefined, send, told, expect);

/** `room/1`, with its length. */
const TOPIC = '0006 726f6f6d2f31';

export const BYTE_CASES: readonly ByteCase[] = [
  // what is right
  lasts('PINGREQ', 4, 'c000', 'd000'),
  lasts('two PINGREQ at once', 4, 'c000c000', 'd000d000'),
  lasts('PUBLISH QoS 1', 4, `320b ${TOPIC} 0001 78`, '40020001'),
  lasts('PUBLISH QoS 1 with DUP', 4, `3a0b ${TOPIC} 0001 78`, '40020001'),
  lasts('PUBLISH QoS 1, empty payload', 4, `320a ${TOPIC} ffff`, '4002ffff'),
  lasts('PUBLISH QoS 1 in MQTT 5', 5, `320c ${TOPIC} 0001 00 78`, '40020001'),
  lasts('length in more bytes than needed', 4, `328b00 ${TOPIC} 0001 78`, '40020001'),
  lasts('SUBSCRIBE', 4, `820b 0001 ${TOPIC} 01`, '9003 0001 01'),
  lasts('SUBSCRIBE in MQTT 5', 5, `820c 0001 00 ${TOPIC} 01`, '9004 0001 00 01'),
  lasts('SUBSCRIBE to what is not allowed', 4, '8206 0001 0001 78 01', '9003 0001 80'),
  lasts(
    'SUBSCRIBE to what is not allowed, MQTT 5',
    5,
    '8207 0001 00 0001 78 01',
    '9004 0001 00 87',
  ),
  lasts('SUBSCRIBE to a bad filter', 5, '8208 0001 00 0002 6123 01', '9004 0001 00 8f'),
  lasts('UNSUBSCRIBE', 4, `a20a 0001 ${TOPIC}`, 'b002 0001'),
  lasts('UNSUBSCRIBE in MQTT 5', 5, `a20b 0001 00 ${TOPIC}`, 'b004 0001 00 00'),
  lasts('PUBACK of what was never sent', 4, '4002 0009', ''),
  lasts('PUBLISH not allowed, MQTT 5', 5, '3207 0001 78 0001 00 78', '4003 0001 87'),
  lasts('PUBLISH to a wildcard, MQTT 5', 5, '3208 0003 612f23 0001 00', '4003 0001 90'),
  { name: 'DISCONNECT', after: 4, send: 'e000', expect: '', closed: true },
  { name: 'DISCONNECT in MQTT 5', after: 5, send: 'e000', expect: '', closed: true },
  { name: 'DISCONNECT 4 with properties', after: 5, send: 'e002 0400', expect: '', closed: true },

  // before CONNECT
  first('plain text', '474554202f20485454502f312e310d0a', /begins with PUBACK/),
  first('PINGREQ first', 'c000', /PINGREQ instead of CONNECT/),
  first('PUBLISH first', `3009 ${TOPIC} 78`, /PUBLISH instead of CONNECT/),
  first('packet type 0', '0000', /reserved 0 instead of CONNECT/),
  first('CONNACK first', '20020000', /CONNACK instead of CONNECT/),
  first('five length bytes', '10ffffffff7f', /more than 4 bytes/),
  first('a length of 256 MB', '10ffffff7f', /larger than the 149504/),
  first('empty CONNECT', '1000', /protocol name needs 2 bytes/),
  first('CONNECT with flags', '110e 0004 4d515454 04 02 003c 0002 7431', /header flags 1/),
  first('MQTT 3.1', '1010 0006 4d5149736470 03 02 003c 0002 7431', /MQIsdp/, '20020001'),
  first('MQTT 6', '100e 0004 4d515454 06 02 003c 0002 7431', /level 6/, '20020001'),
  first('bridge bit', '100e 0004 4d515454 84 02 003c 0002 7431', /level 132/, '20020001'),
  first('another protocol', '100e 0004 48545450 04 02 003c 0002 7431', /HTTP/, '20020001'),
  first('reserved connect flag', '100e 0004 4d515454 04 03 003c 0002 7431', /reserved bit/),
  first('Will QoS 3', '1014 0004 4d515454 04 1e 003c 0002 7431 0001 78 0001 78', /Will QoS is 3/),
  first('Will flags, no Will', '100e 0004 4d515454 04 22 003c 0002 7431', /without a Will/),
  first('password, no user name', '1011 0004 4d515454 04 42 003c 0002 7431 0001 78', /user name/),
  first(
    'client id longer than the packet',
    '100e 0004 4d515454 04 02 003c 0009 7431',
    /client id needs 9/,
  ),
  first('client id with NUL', '100e 0004 4d515454 04 02 003c 0002 7400', /U\+0000/),
  first('client id not UTF-8', '100e 0004 4d515454 04 02 003c 0002 c328', /not UTF-8/),
  first('client id with a surrogate', '100f 0004 4d515454 04 02 003c 0003 eda080', /not UTF-8/),
  first('client id overlong', '100e 0004 4d515454 04 02 003c 0002 c080', /not UTF-8/),
  first('bytes after the end', '100f 0004 4d515454 04 02 003c 0002 7431 00', /1 bytes after/),
  first(
    'empty client id, 3.1.1',
    '100c 0004 4d515454 04 02 003c 0000',
    /name themselves/,
    '20020002',
  ),
  first('reserved client id', '100e 0004 4d515454 04 02 003c 0002 2431', /reserved/, '20020002'),
  first(
    'not its own client id',
    '100e 0004 4d515454 04 02 003c 0002 7432',
    /iot:Connect/,
    '20020005',
  ),
  first(
    'property twice',
    '1019 0004 4d515454 05 02 003c 0a 1100000001 1100000001 0002 7431',
    /twice/,
  ),
  first(
    'property out of place',
    '1011 0004 4d515454 05 02 003c 02 0101 0002 7431',
    /does not belong/,
  ),
  first('unknown property', '1011 0004 4d515454 05 02 003c 02 7f01 0002 7431', /0x7f/),
  first('Receive Maximum 0', '1012 0004 4d515454 05 02 003c 03 210000 0002 7431', /1 to 65535/),
  first(
    'Maximum Packet Size 0',
    '1014 0004 4d515454 05 02 003c 05 2700000000 0002 7431',
    /must be 1/,
  ),
  first('flag property of 2', '1011 0004 4d515454 05 02 003c 02 1702 0002 7431', /0 to 1/),
  first('properties past the end', '100f 0004 4d515454 05 02 003c 7f 0002 7431', /past the packet/),
  first(
    'property cut by its length',
    '1012 0004 4d515454 05 02 003c 02 210001 0002 7431',
    /longer than/,
  ),
  first(
    'enhanced authentication',
    '1014 0004 4d515454 05 02 003c 05 15000253 43 0002 7431',
    /AUTH/,
    '2003 00 80 00',
  ),
  first(
    'Maximum Packet Size 511',
    '1014 0004 4d515454 05 02 003c 05 27000001ff 0002 7431',
    /512/,
    '2003 00 80 00',
  ),
  first(
    'CONNECT and PINGREQ at once',
    '100e 0004 4d515454 04 02 003c 0002 7431 c000',
    /waiting for CONNACK/,
    '20020000',
  ),

  // after CONNECT
  ends('second CONNECT', 4, '100e 0004 4d515454 04 02 003c 0002 7431', /second CONNECT/),
  protocol5(
    'second CONNECT in MQTT 5',
    '100f 0004 4d515454 05 02 003c 00 0002 7431',
    /second CONNECT/,
  ),
  ends('PUBLISH QoS 2', 4, `340b ${TOPIC} 0001 78`, /QoS 2/),
  ends('PUBLISH QoS 2 in MQTT 5', 5, `340c ${TOPIC} 0001 00 78`, /QoS 2/, bye('9b')),
  malformed5('PUBLISH QoS 3', `360c ${TOPIC} 0001 00 78`, /QoS 3/),
  ends('SUBSCRIBE QoS 2', 4, `820b 0001 ${TOPIC} 02`, /QoS 2/),
  ends('SUBSCRIBE QoS 2 in MQTT 5', 5, `820c 0001 00 ${TOPIC} 02`, /QoS 2/, bye('9b')),
  malformed5('SUBSCRIBE QoS 3', `820c 0001 00 ${TOPIC} 03`, /QoS 3/),
  malformed5('Retain Handling 3', `820c 0001 00 ${TOPIC} 31`, /Retain Handling/),
  malformed5('reserved subscription option', `820c 0001 00 ${TOPIC} 41`, /reserved bits/),
  ends('3.1.1 with MQTT 5 options', 4, `820b 0001 ${TOPIC} 05`, /reserved bits/),
  ends('SUBSCRIBE with identifier', 5, `820e 0001 02 0b01 ${TOPIC} 01`, /identifiers/, bye('a1')),
  protocol5(
    'subscription identifier 0',
    `820e 0001 02 0b00 ${TOPIC} 01`,
    /Subscription Identifier is 0/,
  ),
  protocol5('SUBSCRIBE without filters', '8203 0001 00', /names no filter/),
  malformed5('SUBSCRIBE without options', `820b 0001 00 ${TOPIC}`, /options needs 1/),
  malformed5('SUBSCRIBE flags 0', `800c 0001 00 ${TOPIC} 01`, /header flags 0/),
  protocol5('UNSUBSCRIBE without filters', 'a203 0001 00', /names no filter/),
  protocol5('No Local on a share', '820e 0001 00 0008 2473686172652f67 05', /No Local/),
  malformed5('PUBLISH packet identifier 0', `320c ${TOPIC} 0000 00 78`, /identifier is 0/),
  malformed5('SUBSCRIBE packet identifier 0', `820c 0000 00 ${TOPIC} 01`, /identifier is 0/),
  malformed5('PUBACK packet identifier 0', '4002 0000', /identifier is 0/),
  malformed5('PUBLISH topic longer than packet', '3005 00ff 6161 00', /topic needs 255/),
  malformed5('PUBLISH topic with NUL', '3006 0003 610062 00', /U\+0000/),
  malformed5('PUBLISH topic not UTF-8', '3005 0002 61ff 00', /not UTF-8/),
  malformed5('PUBLISH without properties', `3008 ${TOPIC}`, /properties' length needs 1/),
  malformed5('PUBLISH properties past the end', `300a ${TOPIC} 05 01`, /past the packet/),
  malformed5(
    'user property not UTF-8',
    `3010 ${TOPIC} 07 26 0001ff 0001 61`,
    /User Property name is not/,
  ),
  protocol5('PUBLISH with a subscription identifier', `300b ${TOPIC} 02 0b01`, /does not belong/),
  protocol5('PUBLISH payload format 2', `300b ${TOPIC} 02 0102`, /0 to 1/),
  protocol5('PUBLISH two content types', `3011 ${TOPIC} 08 03000161 03000161`, /twice/),
  protocol5('PUBLISH without topic or alias', '3003 0000 00', /neither topic nor topic alias/),
  ends('topic alias 9', 5, `300c ${TOPIC} 03 230009`, /1 to 8/, bye('94')),
  ends('topic alias 0', 5, `300c ${TOPIC} 03 230000`, /1 to 8/, bye('94')),
  protocol5('unknown topic alias', '3006 0000 03 230001', /never given/),
  ends('PUBLISH not allowed', 4, '3206 0001 78 0001 78', /iot:Publish/),
  ends('PUBLISH not allowed, QoS 0, MQTT 5', 5, '3005 0001 78 00 78', /iot:Publish/, bye('87')),
  ends('PUBLISH to an empty topic', 4, '3002 0000', /empty/),
  ends('PUBLISH to a wildcard', 4, '3003 0001 23', /wildcard/),
  ends(
    'PUBLISH to a shadow',
    4,
    '301b 0019 246177732f7468696e67732f74312f736861646f772f676574',
    /Device Shadow/,
  ),
  protocol5('PUBREL', '6202 0001', /PUBREL/),
  protocol5('PUBREC', '5002 0001', /PUBREC/),
  protocol5('PUBCOMP', '7002 0001', /PUBCOMP/),
  protocol5('AUTH', 'f000', /AUTH/),
  protocol5('CONNACK', '20020000', /CONNACK/),
  protocol5('SUBACK', '9003 0001 00', /SUBACK/),
  protocol5('UNSUBACK', 'b003 0001 00', /UNSUBACK/),
  protocol5('PINGRESP', 'd000', /PINGRESP/),
  protocol5('packet type 0', '0000', /reserved 0/),
  malformed5('PINGREQ with a body', 'c00100', /1 bytes after/),
  malformed5('PINGREQ with flags', 'c100', /header flags 1/),
  malformed5('DISCONNECT with bytes after', 'e003 000000', /1 bytes after/),
  ends('DISCONNECT with a reason in 3.1.1', 4, 'e00100', /1 bytes after/),
  protocol5('DISCONNECT raises the expiry', 'e007 00 05 1100000010', /3.1.2-26/),
  ends('payload of 150 KB by its header', 4, '30e09209', /larger than the 149504/),
];
