/** What a device may be watched by: how datapoints are made, where they come from, and what they do not show. */
export interface Metric {
  /** Short and never reused: it names the metric in a device's stored state. */
  readonly code: string;
  /** How observations within a duration become one datapoint; `each`: every observation is one. */
  readonly fold: 'sum' | 'max' | 'each';
  readonly value: 'count' | 'cidrs' | 'ports';
  /** What an alarm on it is taken for: incidents are one a thing and cause. */
  readonly cause: string;
  readonly source: string;
  readonly blindSpot: string;
}

const COUNTERS = 'counters that ingest and decode put on signals for each batch';
const LIFECYCLE = 'lifecycle events of AWS IoT';
const REPORT = 'the report a device makes of itself';
const RADIO = 'counters that decode puts on signals for each batch';

const REPORTED = `what a compromised device says of itself is no proof`;
const CONNECTS =
  'LoRaWAN and HTTPS devices have no connection; client ids with # or + raise no event';

const count = (
  code: string,
  fold: Metric['fold'],
  cause: string,
  source: string,
  blindSpot: string,
): Metric => ({ code, fold, value: 'count', cause, source, blindSpot });

/**
 * Metrics by the names of Device Defender Detect; those that AWS does not have begin with `tributary:`.
 *
 * @see AWS IoT Device Defender Developer Guide, "Cloud-side metrics", "Device-side metrics"
 */
export const METRICS = {
  'aws:num-messages-sent': count(
    'ms',
    'sum',
    'flood',
    COUNTERS,
    'messages that matched the telemetry rule; refused publishes and other topics are not seen',
  ),
  'aws:message-byte-size': count(
    'mb',
    'each',
    'oversize',
    COUNTERS,
    'the largest payload of a batch; what the broker refuses is not seen',
  ),
  'tributary:num-bytes-received': count(
    'by',
    'sum',
    'flood',
    COUNTERS,
    'bytes of payloads that matched the telemetry rule, without their topics',
  ),
  'tributary:num-malformed-payloads': count(
    'mp',
    'sum',
    'malformed-payloads',
    COUNTERS,
    'what reached the stream and could not be read',
  ),
  'aws:num-authorization-failures': count(
    'af',
    'sum',
    'authorization-failures',
    LIFECYCLE,
    'refused connects only, by client id, which anybody can claim to be: so nobody is contained for them. A refused publish or subscribe ends the session as a disconnect',
  ),
  'aws:num-connection-attempts': count(
    'ca',
    'sum',
    'reconnect-storm',
    LIFECYCLE,
    `attempts that fail in TLS have no client id. ${CONNECTS}`,
  ),
  'aws:num-disconnects': count('dc', 'sum', 'reconnect-storm', LIFECYCLE, CONNECTS),
  'aws:disconnect-duration': count(
    'dd',
    'each',
    'away-too-long',
    LIFECYCLE,
    'minutes, known when the device is back; the unit of AWS is not verified',
  ),
  'tributary:num-forbidden-accesses': count(
    'fa',
    'sum',
    'forbidden-access',
    LIFECYCLE,
    'disconnects for AUTH_ERROR or FORBIDDEN_ACCESS; HTTPS publishes raise none',
  ),
  'tributary:num-duplicate-client-ids': count(
    'di',
    'sum',
    'shared-credential',
    LIFECYCLE,
    'two devices that take turns with one identity are not told apart',
  ),
  'tributary:num-throttled-disconnects': count(
    'th',
    'sum',
    'flood',
    LIFECYCLE,
    'disconnects for THROTTLED only',
  ),
  'aws:source-ip-address': {
    code: 'ip',
    fold: 'each',
    value: 'cidrs',
    cause: 'source-address',
    source: LIFECYCLE,
    blindSpot: 'the address that AWS IoT saw, which may be that of a NAT',
  },
  'tributary:num-joins': count('jo', 'sum', 'rejoins', RADIO, 'joins that the network accepted'),
  'tributary:num-frame-counter-gaps': count(
    'cg',
    'sum',
    'frames-missing',
    RADIO,
    'frames lost on air look the same',
  ),
  'tributary:num-frame-counter-resets': count(
    'cr',
    'sum',
    'frame-replay',
    RADIO,
    'a device with ABP that restarts looks the same',
  ),
  'tributary:num-repeated-frames': count(
    'rf',
    'sum',
    'frame-replay',
    RADIO,
    'a frame that the cloud delivers twice under two message ids looks the same',
  ),
  'tributary:num-mic-failures': count(
    'mf',
    'sum',
    'frame-forgery',
    RADIO,
    'seen only at a gateway of our own, hence on the laptop only: AWS drops such frames itself',
  ),
  'aws:all-bytes-out': count('bo', 'sum', 'device-traffic', REPORT, REPORTED),
  'aws:all-bytes-in': count('bi', 'sum', 'device-traffic', REPORT, REPORTED),
  'aws:all-packets-out': count('po', 'sum', 'device-traffic', REPORT, REPORTED),
  'aws:all-packets-in': count('pi', 'sum', 'device-traffic', REPORT, REPORTED),
  'aws:num-listening-tcp-ports': count('nt', 'each', 'open-ports', REPORT, REPORTED),
  'aws:num-listening-udp-ports': count('nu', 'each', 'open-ports', REPORT, REPORTED),
  'aws:num-established-tcp-connections': count('ec', 'each', 'device-traffic', REPORT, REPORTED),
  'aws:listening-tcp-ports': {
    code: 'lt',
    fold: 'each',
    value: 'ports',
    cause: 'open-ports',
    source: REPORT,
    blindSpot: REPORTED,
  },
  'aws:listening-udp-ports': {
    code: 'lu',
    fold: 'each',
    value: 'ports',
    cause: 'open-ports',
    source: REPORT,
    blindSpot: REPORTED,
  },
  'aws:destination-ip-addresses': {
    code: 'da',
    fold: 'each',
    value: 'cidrs',
    cause: 'device-traffic',
    source: REPORT,
    blindSpot: REPORTED,
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(METRICS, name);

/** What can be named in a profile of AWS and is not watched here. */
export const UNWATCHED: Readonly<Record<string, string>> = {
  'aws:num-messages-received':
    'messages to devices are told by IoT logs only, which cost by volume and are not read here',
};

/** The cause an alarm stands for; metrics of others, such as custom ones, are a cause of their own. */
export const causeOf = (metric: string | undefined): string => {
  if (metric === undefined) return 'unknown-metric';
  return isMetricName(metric)
    ? METRICS[metric].cause
    : `metric-${metric.replaceAll(/[^\w-]/g, '-')}`;
};
