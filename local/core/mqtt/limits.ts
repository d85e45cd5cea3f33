/**
 * What the message broker puts up with. Sizes in bytes, times as named.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html (message broker and protocol limits)
 */
export interface Limits {
  readonly payloadBytes: number;
  /** A whole MQTT packet, fixed header included. */
  readonly packetBytes: number;
  readonly topicBytes: number;
  /** Forward slashes in a topic or filter; `$aws/rules/NAME/` and `$share/NAME/` are not counted. */
  readonly topicSlashes: number;
  readonly clientIdBytes: number;
  readonly filtersPerSubscribe: number;
  readonly subscriptionsPerConnection: number;
  readonly shareNameChars: number;
  readonly shareMembers: number;
  readonly keepAliveMinSeconds: number;
  readonly keepAliveMaxSeconds: number;
  /** QoS 1 messages in either direction that wait for their PUBACK. */
  readonly inFlight: number;
  readonly topicAliases: number;
  readonly userPropertiesBytes: number;
  readonly contentTypeBytes: number;
  readonly correlationDataBytes: number;
  readonly messageExpiryMaxSeconds: number;
  /** Sessions outlive their connection by at most this; what a 3.1.1 client with `cleanSession=0` gets. */
  readonly sessionExpirySeconds: number;
  /** Smallest Maximum Packet Size that a client may announce. */
  readonly clientPacketMinBytes: number;
  /** The laptop's own: QoS 1 messages kept for one session; AWS bounds them by time and rate instead. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** The laptop's own: a connection must have sent its whole CONNECT by then. */
  readonly connectSeconds: number;
  /** The laptop's own: above this, QoS 0 messages to that connection are dropped and its reading pauses. */
  readonly writeBufferBytes: number;
  /** The laptop's own: retained messages of the whole broker. */
  readonly retainedMessages: number;
  /**
   * Whether AWS's rates are enforced too: 100 publishes a second and connection, in and out, the excess
   * discarded; one connect a second and client id; one retained publish a second and topic. Off on the
   * laptop, because one simulated device of a benchmark stands for many real ones.
   */
  readonly rates: boolean;
  readonly publishesPerSecond: number;
}

const KIB = 1024;

/** AWS's figures, with the rates off: see {@link Limits.rates}. */
export const LAPTOP_LIMITS: Limits = {
  payloadBytes: 128 * KIB,
  packetBytes: 146 * KIB,
  topicBytes: 256,
  topicSlashes: 7,
  clientIdBytes: 128,
  filtersPerSubscribe: 8,
  subscriptionsPerConnection: 50,
  shareNameChars: 128,
  shareMembers: 100,
  keepAliveMinSeconds: 30,
  keepAliveMaxSeconds: 1200,
  inFlight: 100,
  topicAliases: 8,
  userPropertiesBytes: 8 * KIB,
  contentTypeBytes: 256,
  correlationDataBytes: 8 * KIB,
  messageExpiryMaxSeconds: 604_800,
  sessionExpirySeconds: 3600,
  clientPacketMinBytes: 512,
  queuedMessages: 10_000,
  queuedBytes: 32 * KIB * KIB,
  connectSeconds: 10,
  writeBufferBytes: KIB * KIB,
  retainedMessages: 100_000,
  rates: false,
  publishesPerSecond: 100,
};

/** Keep-alive that a connection gets: none or too long becomes 1200 s, too short 30 s. */
export function clampKeepAliveSeconds(requested: number, limits: Limits): number {
  if (requested === 0) return limits.keepAliveMaxSeconds;
  return Math.min(limits.keepAliveMaxSeconds, Math.max(limits.keepAliveMinSeconds, requested));
}

/** Silence after which a connection is given up: one and a half times its keep-alive [MQTT-3.1.2-22]. */
export const keepAliveTimeoutMs = (keepAliveSeconds: number): number => keepAliveSeconds * 1500;
