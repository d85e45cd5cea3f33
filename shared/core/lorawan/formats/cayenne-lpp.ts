import { reject } from '../../errors.ts';
import type { Metric } from '../../reading.ts';

/** What was read; where a type is unknown, nothing after it can be, and `warning` says so. */
export interface Decoded {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly units: Readonly<Record<string, string>> | undefined;
  readonly warning: string | undefined;
}

interface Part {
  /** Behind the name of the whole; empty where it is the whole. */
  readonly name: string;
  readonly bytes: 1 | 2 | 3 | 4;
  readonly signed: boolean;
  /** The number is so many of the unit's parts: 10 for tenths. */
  readonly per: number;
  readonly unit?: string;
}

interface Type {
  readonly name: string;
  readonly parts: readonly Part[];
}

const unsigned = (bytes: Part['bytes'], per: number, unit?: string, name = ''): Part => ({
  name,
  bytes,
  signed: false,
  per,
  ...(unit !== undefined && { unit }),
});
const signed = (bytes: Part['bytes'], per: number, unit?: string, name = ''): Part => ({
  ...unsigned(bytes, per, unit, name),
  signed: true,
});
const axes = (per: number, unit: string): Part[] =>
  ['x', 'y', 'z'].map((axis) => signed(2, per, unit, axis));

/**
 * Types by number: the IPSO object's number less 3200, as Cayenne chose them, and those that others added.
 *
 * @see Cayenne Docs, "Cayenne Low Power Payload"; OMA LightWeight M2M Registry
 */
const TYPES: Readonly<Record<number, Type>> = {
  0: { name: 'digitalInput', parts: [unsigned(1, 1)] },
  1: { name: 'digitalOutput', parts: [unsigned(1, 1)] },
  2: { name: 'analogInput', parts: [signed(2, 100)] },
  3: { name: 'analogOutput', parts: [signed(2, 100)] },
  100: { name: 'generic', parts: [unsigned(4, 1)] },
  101: { name: 'illuminance', parts: [unsigned(2, 1, 'lx')] },
  102: { name: 'presence', parts: [unsigned(1, 1)] },
  103: { name: 'temperature', parts: [signed(2, 10, '°C')] },
  104: { name: 'humidity', parts: [unsigned(1, 2, '%')] },
  113: { name: 'acceleration', parts: axes(1000, 'g') },
  115: { name: 'pressure', parts: [unsigned(2, 10, 'hPa')] },
  116: { name: 'voltage', parts: [unsigned(2, 100, 'V')] },
  117: { name: 'current', parts: [unsigned(2, 1000, 'A')] },
  118: { name: 'frequency', parts: [unsigned(4, 1, 'Hz')] },
  120: { name: 'percentage', parts: [unsigned(1, 1, '%')] },
  121: { name: 'altitude', parts: [signed(2, 1, 'm')] },
  125: { name: 'concentration', parts: [unsigned(2, 1, 'ppm')] },
  128: { name: 'power', parts: [unsigned(2, 1, 'W')] },
  130: { name: 'distance', parts: [unsigned(4, 1000, 'm')] },
  131: { name: 'energy', parts: [unsigned(4, 1000, 'kWh')] },
  132: { name: 'direction', parts: [unsigned(2, 1, '°')] },
  133: { name: 'unixTime', parts: [unsigned(4, 1, 's')] },
  134: { name: 'gyrometer', parts: axes(100, '°/s') },
  135: {
    name: 'colour',
    parts: ['red', 'green', 'blue'].map((name) => unsigned(1, 1, undefined, name)),
  },
  136: {
    name: 'location',
    parts: [
      signed(3, 10_000, '°', 'latitude'),
      signed(3, 10_000, '°', 'longitude'),
      signed(3, 100, 'm', 'altitude'),
    ],
  },
  142: { name: 'switch', parts: [unsigned(1, 1)] },
};

/**
 * Cayenne Low Power Payload: channel, type and value, again and again, big-endian. Metrics are named by type and
 * channel, as `temperature.3`.
 *
 * @throws {RejectedError} `MALFORMED_PAYLOAD` when not even the first value can be read, or one is cut off
 */
export function decodeCayenneLpp(bytes: Uint8Array): Decoded {
  const metrics: Record<string, Metric> = {};
  const units: Record<string, string> = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    const number = bytes[at + 1];
    const type = number === undefined ? undefined : TYPES[number];
    if (type === undefined) {
      const warning =
        number === undefined ? cutOff(at) : `byte ${at + 1} is ${number}, which is no type`;
      if (at === 0) reject('MALFORMED_PAYLOAD', '(root)', `is not Cayenne LPP: ${warning}`);
      return { metrics, units, warning: `the rest was left: ${warning}` };
    }
    const name = `${type.name}.${bytes[at] ?? 0}`;
    at += 2;
    for (const part of type.parts) {
      if (at + part.bytes > bytes.length) reject('MALFORMED_PAYLOAD', name, cutOff(at));
      const path = part.name === '' ? name : `${name}.${part.name}`;
      if (Object.hasOwn(metrics, path)) reject('MALFORMED_PAYLOAD', path, 'is there twice');
      metrics[path] = valueAt(view, at, part);
      if (part.unit !== undefined) units[path] = part.unit;
      at += part.bytes;
    }
  }
  return {
    metrics,
    units: Object.keys(units).length === 0 ? undefined : units,
    warning: undefined,
  };
}

const cutOff = (at: number): string => `is cut off at byte ${at}`;

function valueAt(view: DataView, at: number, { bytes, signed: isSigned, per }: Part): number {
  let value = 0;
  for (let index = 0; index < bytes; index += 1) value = value * 256 + view.getUint8(at + index);
  const limit = 2 ** (8 * bytes);
  return (isSigned && value >= limit / 2 ? value - limit : value) / per;
}
