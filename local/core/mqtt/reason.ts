/** MQTT 5 reason codes that AWS IoT Core uses [MQTT5 2.4]. */
export const Reason = {
  success: 0x00,
  disconnectWithWill: 0x04,
  unspecified: 0x80,
  malformed: 0x81,
  protocolError: 0x82,
  clientIdInvalid: 0x85,
  notAuthorized: 0x87,
  serverShuttingDown: 0x8b,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  filterInvalid: 0x8f,
  topicInvalid: 0x90,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  quotaExceeded: 0x97,
  administrative: 0x98,
  qosNotSupported: 0x9b,
  subscriptionIdsNotSupported: 0xa1,
} as const;

export type ReasonCode = (typeof Reason)[keyof typeof Reason];

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
export const ReturnCode = {
  accepted: 0,
  protocolVersion: 1,
  clientIdRejected: 2,
  serverUnavailable: 3,
  notAuthorized: 5,
} as const;

/**
 * Answer of MQTT 3.1.1 for a CONNECT refused with an MQTT 5 code, or undefined where 3.1.1 has none and
 * the connection just closes. AWS's guide of 2022 named code 7 for a refused authorisation; the current
 * one does not, so it is the standard's 5 here.
 */
export function returnCodeOf(code: ReasonCode): number | undefined {
  if (code === Reason.notAuthorized) return ReturnCode.notAuthorized;
  if (code === Reason.clientIdInvalid) return ReturnCode.clientIdRejected;
  if (code === Reason.quotaExceeded) return ReturnCode.serverUnavailable;
  return undefined;
}

/** `disconnectReason` of the lifecycle event; all but the client's own wish send the Last Will. */
export type DisconnectReason =
  | 'AUTH_ERROR'
  | 'CLIENT_INITIATED_DISCONNECT'
  | 'CLIENT_ERROR'
  | 'CONNECTION_LOST'
  | 'DUPLICATE_CLIENTID'
  | 'FORBIDDEN_ACCESS'
  | 'MQTT_KEEP_ALIVE_TIMEOUT'
  | 'SERVER_ERROR'
  | 'SERVER_INITIATED_DISCONNECT'
  | 'API_INITIATED_DISCONNECT'
  | 'THROTTLED'
  | 'CUSTOMAUTH_TTL_EXPIRATION'
  | 'WEBSOCKET_TTL_EXPIRATION';

/** Bytes that break the protocol: the connection they came on is closed, with `code` for an MQTT 5 client. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault';
  readonly code: ReasonCode;

  constructor(code: ReasonCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A CONNECT in a protocol that is neither MQTT 3.1.1 nor 5: answered with CONNACK 1 [MQTT-3.1.2-2]. */
export class UnknownProtocol extends Error {
  override readonly name = 'UnknownProtocol';
}
