import * as z from 'zod';
import { check } from '../check.ts';
import { reject } from '../errors.ts';
import { NAME } from '../names.ts';
import type { Observation } from './observation.ts';

const Port = z.int().min(1).max(65_535);
const Delta = z.int().nonnegative();
const Listening = z.object({
  pts: z
    .array(z.object({ if: z.string().optional(), pt: Port }))
    .max(1000)
    .optional(),
  t: z.int().nonnegative().optional(),
});

/** The short names; traffic is what was added since the last report. */
const Report = z.object({
  hed: z.object({ rid: z.int(), v: z.string().regex(/^\d+\.\d+$/, 'wants major.minor') }),
  met: z
    .object({
      tp: Listening.optional(),
      up: Listening.optional(),
      ns: z.object({ bi: Delta, bo: Delta, pi: Delta, po: Delta }).partial().optional(),
      tc: z
        .object({
          ec: z
            .object({
              cs: z
                .array(z.object({ rad: z.string().max(64) }))
                .max(1000)
                .optional(),
              t: z.int().nonnegative().optional(),
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
  cmet: z.record(z.string(), z.unknown()).optional(),
});

/** Long names of the members, to their short ones. */
const SHORT: Readonly<Record<string, string>> = {
  header: 'hed',
  report_id: 'rid',
  version: 'v',
  metrics: 'met',
  custom_metrics: 'cmet',
  listening_tcp_ports: 'tp',
  listening_udp_ports: 'up',
  ports: 'pts',
  interface: 'if',
  port: 'pt',
  total: 't',
  network_stats: 'ns',
  bytes_in: 'bi',
  bytes_out: 'bo',
  packets_in: 'pi',
  packets_out: 'po',
  tcp_connections: 'tc',
  established_connections: 'ec',
  connections: 'cs',
  local_interface: 'li',
  local_port: 'lp',
  remote_addr: 'rad',
};

/** `report/<fleet>/<thing>`, or the reserved topic where an account has Detect. */
const TOPIC = /^(?:report\/[^/]+\/([^/]+)|\$aws\/things\/([^/]+)\/defender\/metrics\/json)$/;

/** @throws {RejectedError} `MALFORMED_TOPIC` */
export function reporterOf(topic: string): string {
  const [, own, reserved] = TOPIC.exec(topic) ?? [];
  const thing = own ?? reserved ?? '';
  if (!NAME.test(thing)) reject('MALFORMED_TOPIC', 'topic', 'is no topic of reports');
  return thing;
}

/**
 * What a device says of its ports, connections and traffic, in the format of AWS, long names or short.
 *
 * @param data  JSON, base64
 * @throws {RejectedError} `MALFORMED_PAYLOAD`, naming each field at fault by its short name
 * @see AWS IoT Device Defender Developer Guide, "Sending metrics from devices"
 */
export function readReport(data: string, atMs: number): readonly Observation[] {
  const { met, cmet } = check(Report, shortened(parse(data), 0), 'MALFORMED_PAYLOAD');
  if (met === undefined && cmet === undefined) {
    return reject('MALFORMED_PAYLOAD', '(root)', 'wants metrics or custom_metrics');
  }
  const { tp, up, ns, tc } = met ?? {};
  const remotes = tc?.ec?.cs?.map(({ rad }) => rad.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
  return [
    ...counted('aws:all-bytes-in', ns?.bi, atMs),
    ...counted('aws:all-bytes-out', ns?.bo, atMs),
    ...counted('aws:all-packets-in', ns?.pi, atMs),
    ...counted('aws:all-packets-out', ns?.po, atMs),
    ...counted('aws:num-listening-tcp-ports', tp?.t ?? tp?.pts?.length, atMs),
    ...counted('aws:num-listening-udp-ports', up?.t ?? up?.pts?.length, atMs),
    ...counted('aws:num-established-tcp-connections', tc?.ec?.t ?? remotes?.length, atMs),
    ...listed(
      'aws:listening-tcp-ports',
      tp?.pts?.map(({ pt }) => pt),
      atMs,
    ),
    ...listed(
      'aws:listening-udp-ports',
      up?.pts?.map(({ pt }) => pt),
      atMs,
    ),
    ...(remotes === undefined
      ? []
      : [{ metric: 'aws:destination-ip-addresses' as const, atMs, addresses: remotes }]),
  ];
}

const counted = (
  metric: Observation['metric'],
  count: number | undefined,
  atMs: number,
): Observation[] => (count === undefined ? [] : [{ metric, atMs, count }]);

const listed = (
  metric: Observation['metric'],
  ports: readonly number[] | undefined,
  atMs: number,
): Observation[] => (ports === undefined ? [] : [{ metric, atMs, ports }]);

function parse(data: string): unknown {
  try {
    return JSON.parse(Buffer.from(data, 'base64').toString());
  } catch {
    return reject('MALFORMED_PAYLOAD', '(root)', 'is not JSON');
  }
}

const DEPTH = 8;

function shortened(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > DEPTH) return value;
  if (Array.isArray(value)) return value.map((one) => shortened(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      SHORT[name] ?? name,
      shortened(inner, depth + 1),
    ]),
  );
}
