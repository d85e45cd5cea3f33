import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../../../local/fleet/random.ts';
import { RejectedError } from '../../../../shared/core/errors.ts';
import { decodeCayenneLpp } from '../../../../shared/core/lorawan/formats/cayenne-lpp.ts';
import { decodeFields, parseFieldFormat } from '../../../../shared/core/lorawan/formats/fields.ts';
import { decodeFormat } from '../../../../shared/core/lorawan/formats/index.ts';
import {
  leftOutOf,
  measurementOf,
  normalizedMeasurements,
} from '../../../../shared/core/lorawan/measurements.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

const issuesOf = (step: () => unknown): readonly string[] => {
  try {
    step();
  } catch (error) {
    if (error instanceof RejectedError) return error.issues;
    throw error;
  }
  return [];
};

describe('Cayenne LPP', () => {
  it.each([
    {
      of: 'two temperatures',
      hex: '03670110056700ff',
      metrics: { 'temperature.3': 27.2, 'temperature.5': 25.5 },
    },
    { of: 'a temperature below zero', hex: '0167ffd7', metrics: { 'temperature.1': -4.1 } },
    {
      of: 'an acceleration',
      hex: '067104d2fb2e0000',
      metrics: { 'acceleration.6.x': 1.234, 'acceleration.6.y': -1.234, 'acceleration.6.z': 0 },
    },
    {
      of: 'a place',
      hex: '018806765ff2960a0003e8',
      metrics: {
        'location.1.latitude': 42.3519,
        'location.1.longitude': -87.9094,
        'location.1.altitude': 10,
      },
    },
    {
      of: 'inputs',
      hex: '00000101010102020200',
      metrics: { 'digitalInput.0': 1, 'digitalOutput.1': 1, 'analogInput.2': 5.12 },
    },
    {
      of: 'climate',
      hex: '016501f402685003733333',
      metrics: { 'illuminance.1': 500, 'humidity.2': 40, 'pressure.3': 1310.7 },
    },
    {
      of: 'electricity',
      hex: '01740190027503e80380000004e2',
      metrics: { 'voltage.1': 4, 'current.2': 1 },
    },
    {
      of: 'time and a switch',
      hex: '018560000000028e01',
      metrics: { 'unixTime.1': 0x6000_0000, 'switch.2': 1 },
    },
    {
      of: 'a colour',
      hex: '018701fe7f',
      metrics: { 'colour.1.red': 1, 'colour.1.green': 254, 'colour.1.blue': 127 },
    },
  ])('reads $of', ({ hex, metrics }) => {
    expect(decodeCayenneLpp(bytes(hex)).metrics).toMatchObject(metrics);
  });

  it('keeps what comes before a type that it does not know, and says so', () => {
    expect(decodeCayenneLpp(bytes('0367011001f0aabb'))).toEqual({
      metrics: { 'temperature.3': 27.2 },
      units: { 'temperature.3': '°C' },
      warning: 'the rest was left: byte 5 is 240, which is no type',
    });
  });

  it.each([
    { hex: 'fff0', issue: '(root): is not Cayenne LPP: byte 1 is 240, which is no type' },
    { hex: '036701', issue: 'temperature.3: is cut off at byte 2' },
    { hex: '0367011003670110', issue: 'temperature.3: is there twice' },
  ])('refuses $hex: $issue', ({ hex, issue }) => {
    expect(issuesOf(() => decodeCayenneLpp(bytes(hex)))).toEqual([issue]);
  });

  it('takes any bytes without anything but an answer or a rejection', () => {
    const random = seeded(11);
    for (let round = 0; round < 10_000; round += 1) {
      const payload = Buffer.from(Array.from({ length: random() * 30 }, () => random() * 256));
      issuesOf(() => decodeCayenneLpp(payload));
    }
  });
});

const METER = JSON.stringify({
  byteOrder: 'little',
  messages: [
    {
      when: { fPort: 2, at: [{ at: 0, is: 1 }] },
      fields: [
        { name: 'volume', at: 1, type: 'uint32', divide: 1000, unit: 'm³' },
        {
          name: 'temperature',
          at: 5,
          type: 'int16',
          byteOrder: 'big',
          divide: 10,
          unit: '°C',
          none: [32767],
        },
        { name: 'leak', at: 7, type: 'bool', bits: [7, 7] },
        { name: 'mode', at: 7, type: 'uint8', bits: [0, 1], values: { 0: 'idle', 1: 'flow' } },
        { name: 'battery', at: -1, type: 'uint8', multiply: 0.4, unit: '%' },
      ],
    },
    { when: { fPort: 3 }, fields: [{ name: 'text', at: 0, type: 'text' }] },
    {
      when: { bytes: 8 },
      fields: [
        { name: 'f', at: 0, type: 'float32' },
        { name: 'hex', at: 4, type: 'hex', bytes: 2 },
        { name: 'far', at: 8, type: 'uint8', optional: true },
      ],
    },
  ],
});

describe('a description of fields', () => {
  const format = parseFieldFormat(METER);

  it('reads numbers, bits, names and units from where they are', () => {
    expect(decodeFields(format, bytes('01d2040000ffd781fa'), 2)).toEqual({
      metrics: { volume: 1.234, temperature: -4.1, leak: true, mode: 'flow', battery: 100 },
      units: { volume: 'm³', temperature: '°C', battery: '%' },
      warning: undefined,
    });
  });

  it('leaves out what the device says there is none of', () => {
    expect(decodeFields(format, bytes('01d20400007fff00fa'), 2).metrics).not.toHaveProperty(
      'temperature',
    );
  });

  it.each([
    { fPort: 3, hex: '686900', metrics: { text: 'hi' } },
    { fPort: 9, hex: '0000803fabcd0000', metrics: { f: 1, hex: 'abcd' } },
  ])('takes the first message that fits, $metrics', ({ fPort, hex, metrics }) => {
    expect(decodeFields(format, bytes(hex), fPort).metrics).toEqual(metrics);
  });

  it.each([
    { fPort: 2, hex: '02', issue: '(root): no message fits 1 bytes on FPort 2' },
    { fPort: 2, hex: '0102', issue: 'volume: lies outside of 2 bytes' },
    { fPort: 9, hex: '0000807f00000000', issue: 'f: is not a finite number (Infinity)' },
  ])('refuses $hex on FPort $fPort: $issue', ({ fPort, hex, issue }) => {
    expect(issuesOf(() => decodeFields(format, bytes(hex), fPort))).toEqual([issue]);
  });

  it.each([
    { source: 'x', issue: /^\(root\): the description of fields is not JSON$/ },
    { source: '{"messages":[]}', issue: /^messages: / },
    {
      source: '{"messages":[{"fields":[{"name":"a","at":0,"type":"uint8","scale":2}]}]}',
      issue: /^messages\.0\.fields\.0: .*scale/,
    },
    {
      source: '{"messages":[{"fields":[{"name":"a","at":0,"type":"uint9"}]}]}',
      issue: /^messages\.0\.fields\.0\.type: /,
    },
    {
      source: '{"messages":[{"fields":[{"name":"a","at":0,"type":"uint8","divide":0}]}]}',
      issue: /divide: must not be 0/,
    },
  ])('is refused as $source', ({ source, issue }) => {
    expect(issuesOf(() => parseFieldFormat(source))).toEqual([expect.stringMatching(issue)]);
  });
});

describe('other formats', () => {
  it('are those of the other protocols', () => {
    expect(decodeFormat('json', Buffer.from('{"t":21.5}')).measurements).toMatchObject([
      { metrics: { t: 21.5 } },
    ]);
    expect(decodeFormat('cbor', bytes('a1617418d7')).measurements).toMatchObject([
      { metrics: { t: 215 } },
    ]);
  });
});

describe('what a codec decoded', () => {
  it('is named by where it stood, members of lists by their position', () => {
    const data = {
      air: { temperature: 21.5 },
      ports: [1, { open: true }],
      level: { value: 3, unit: 'm' },
      none: null,
    };
    expect(measurementOf(data)).toEqual({
      metrics: { 'air.temperature': 21.5, 'ports.0': 1, 'ports.1.open': true, level: 3 },
      units: { level: 'm' },
      deviceMs: undefined,
    });
  });

  it('has no unit where it is empty, and leaves out texts that no metric can be', () => {
    const data = {
      serial: { value: 17, unit: '' },
      inner: { schema: 'x'.repeat(1025), list: ['y'.repeat(2000), 'short'] },
    };
    expect(measurementOf(data)).toMatchObject({
      metrics: { serial: 17, 'inner.list.1': 'short' },
      units: undefined,
    });
    expect(leftOutOf(data)).toEqual(['inner.schema', 'inner.list.0']);
  });

  it('is refused where it is no metric', () => {
    expect(issuesOf(() => measurementOf({ a: { constructor: 1 } }))).toEqual([
      'a.constructor: is a forbidden key',
    ]);
    expect(issuesOf(() => measurementOf([1].at(9)))).toEqual(['data: wants an object of metrics']);
  });

  it('is several measurements with times, where it was normalised', () => {
    const data = [
      { time: '2026-09-21T13:46:40Z', air: { temperature: 1 } },
      { air: { temperature: 2 } },
    ];
    expect(normalizedMeasurements(data)).toMatchObject([
      { metrics: { 'air.temperature': 1 }, deviceMs: Date.parse('2026-09-21T13:46:40Z') },
      { metrics: { 'air.temperature': 2 }, deviceMs: undefined },
    ]);
  });
});
