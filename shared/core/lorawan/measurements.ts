import { reject } from '../errors.ts';
import { gatherMetrics, isObject, type PayloadObject } from '../payload/metrics.ts';
import { LIMITS, type Metric } from '../reading.ts';
import { deviceTimeMs } from '../time.ts';

/** One reading's worth of what a codec or a format made of a payload. */
export interface Measurement {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly units: Readonly<Record<string, string>> | undefined;
  /** The device's own time, where the measurement has one. */
  readonly deviceMs: number | undefined;
}

const NONE: ReadonlySet<string> = new Set();
/** `time` of TTN's normalised measurements. */
const TIMED: ReadonlySet<string> = new Set(['time']);

/**
 * What a codec decoded, as metrics under dotted names; members of a list go by their position. Texts that are too long
 * for a metric are left out (`leftOutOf`).
 *
 * @throws {RejectedError} `MALFORMED_PAYLOAD` with the path of what is no metric
 */
export function measurementOf(data: unknown): Measurement {
  const { metrics, units } = gatherMetrics(asObject(data), '', NONE);
  return { metrics, units, deviceMs: undefined };
}

/**
 * What `normalizeUplink` made of it: one measurement, or several with their times.
 *
 * @see The Things Stack, "Payload Normalization"
 */
export function normalizedMeasurements(data: unknown): readonly Measurement[] {
  const list = Array.isArray(data) ? data : [data];
  return list.map((one, index) => {
    const object = asObject(one);
    const { metrics, units } = gatherMetrics(object, `[${index}].`, TIMED);
    const time = object['time'] ?? undefined;
    const deviceMs = time === undefined ? undefined : deviceTimeMs(time, `[${index}].time`);
    return { metrics, units, deviceMs };
  });
}

function asObject(data: unknown): PayloadObject {
  const plain = simplified(data);
  return isObject(plain)
    ? plain
    : reject('MALFORMED_PAYLOAD', 'data', 'wants an object of metrics');
}

/**
 * What vendors' codecs answer, as metrics are told: lists as objects of their positions, no unit where it is empty, and
 * without texts that are longer than a metric can be. The sandbox bounds nesting and size; so does whoever else calls
 * this.
 */
function simplified(value: unknown): unknown {
  if (Array.isArray(value)) return simplified(Object.fromEntries(value.entries()));
  if (!isObject(value)) return value;
  if (isWithoutUnit(value)) return simplified(value['value']);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => !isLongText(member))
      .map(([name, member]) => [name, simplified(member)]),
  );
}

const isWithoutUnit = (value: PayloadObject): boolean =>
  value['unit'] === '' && Object.hasOwn(value, 'value') && Object.keys(value).length === 2;

const isLongText = (value: unknown): boolean =>
  typeof value === 'string' && value.length > LIMITS.textChars;

/** @returns paths of the texts that are left out of a measurement for their length */
export function leftOutOf(data: unknown, at = ''): readonly string[] {
  if (isLongText(data)) return [at];
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([name, member]) =>
    leftOutOf(member, at === '' ? name : `${at}.${name}`),
  );
}
