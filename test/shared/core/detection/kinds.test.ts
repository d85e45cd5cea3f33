import { describe, expect, it } from '@jest/globals';
import { gaussian, seeded } from '../../../../local/fleet/random.ts';
import {
  type DeviceReading,
  newDevice,
  observeDevice,
} from '../../../../shared/core/detection/device.ts';
import { sentenceOf } from '../../../../shared/core/detection/explain.ts';
import {
  newMetric,
  type Observation,
  observeAll,
} from '../../../../shared/core/detection/metric.ts';
import type { MetricOptions } from '../../../../shared/core/detection/options.ts';

const BEGIN_MS = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const FAULT = 2000;

const noise = seeded(3);
const sensor = (level: number, spread: number) => () =>
  Number((level + spread * gaussian(noise)).toFixed(3));

const at = (index: number, value: number | boolean, unit?: string): Observation => ({
  atMs: BEGIN_MS + index * 5 * MINUTE_MS,
  value,
  unit,
});

const told = (
  healthy: () => number,
  fault: (index: number) => number,
  { readings = 40, unit, options }: { readings?: number; unit?: string; options?: MetricOptions },
) => {
  const before = Array.from({ length: FAULT }, (_, index) => at(index, healthy(), unit));
  const { state } = observeAll(newMetric(options), before, options);
  const after = Array.from({ length: readings }, (_, index) =>
    at(FAULT + index, fault(index), unit),
  );
  return observeAll(state, after, options).verdicts.flatMap(({ reports }) => reports);
};

const celsius = sensor(20, 0.3);
const pascal = sensor(101_000, 40);
const volt = sensor(3.7, 0.004);

describe.each([
  {
    fault: 'one value far out',
    healthy: celsius,
    value: (index: number) => (index === 0 ? 35 : celsius()),
    kind: 'spike',
    says: /reads 35 Cel, above .* expected (19|20)/,
  },
  {
    fault: 'another level',
    healthy: celsius,
    value: () => celsius() - 6,
    kind: 'level shift',
    says: /stays away from its level/,
  },
  {
    fault: 'the same value again and again',
    healthy: celsius,
    value: () => 20.125,
    kind: 'stuck value',
    says: /for 13 readings in a row/,
  },
  {
    fault: 'ten times the noise',
    healthy: celsius,
    value: () => 20 + 3 * gaussian(noise),
    kind: 'noise change',
    says: /scatters on both sides of (19|20).* was usual/,
  },
  {
    fault: 'Fahrenheit for Celsius',
    healthy: celsius,
    value: () => 1.8 * celsius() + 32,
    kind: 'unit change',
    says: /Fahrenheit for Celsius/,
  },
  {
    fault: 'Celsius for Kelvin',
    healthy: () => 273.15 + celsius(),
    value: celsius,
    kind: 'unit change',
    says: /Celsius for Kelvin/,
  },
  {
    fault: 'kilopascal for pascal',
    healthy: pascal,
    value: () => pascal() / 1000,
    kind: 'unit change',
    says: /a thousandth of the base/,
  },
  {
    fault: 'millivolt for volt',
    healthy: volt,
    value: () => 1000 * volt(),
    kind: 'unit change',
    says: /a thousand times the base/,
  },
])('$fault', ({ healthy, value, kind, says }) => {
  const reports = told(healthy, value, { unit: 'Cel', options: { unit: 'X' } });

  it(`is called ${kind}`, () => {
    expect(reports.map(({ anomaly }) => anomaly.kind)).toContain(kind);
  });

  it('is told in a sentence', () => {
    const report = reports.find(({ anomaly }) => anomaly.kind === kind);
    if (report === undefined) throw new Error('nothing was told');
    expect(sentenceOf({ thing: 'probe-1', metric: 'm' }, report.anomaly)).toMatch(says);
  });

  it('is one incident of each finder, with evidence to draw', () => {
    const opened = reports.filter(({ change }) => change === 'opens');
    const finders = opened.map(({ anomaly }) => anomaly.finder);
    expect(new Set(finders).size).toBe(finders.length);
    for (const { anomaly } of opened) {
      expect(anomaly.points.length).toBeGreaterThanOrEqual(1);
      expect(anomaly.score).toBeGreaterThanOrEqual(0.5);
    }
  });
});

describe('a metric that was constant for a week', () => {
  it('is an anomaly as soon as it changes, and no longer once it keeps the new value', () => {
    const reports = told(
      () => 20,
      () => 25,
      { readings: 300 },
    );
    expect(reports[0]).toMatchObject({ change: 'opens', anomaly: { direction: 'above' } });
    expect(reports.filter(({ change }) => change === 'opens')).toHaveLength(1);
    expect(reports.at(-1)?.change).toBe('closes');
  });

  it('may be anything, zero and a large number as well', () => {
    for (const level of [0, -40, 1e9, 1e-6]) {
      expect(
        told(
          () => level,
          () => level,
          {},
        ),
      ).toEqual([]);
    }
  });
});

describe('limits', () => {
  it.each([
    { options: { range: { high: 30 } }, value: 31, kind: 'out of range', direction: 'above' },
    { options: { range: { low: 10 } }, value: 9, kind: 'out of range', direction: 'below' },
    { options: { maxRatePerSecond: 0.01 }, value: 25, kind: 'rate of change', direction: 'above' },
    { options: { maxRatePerSecond: 0.01 }, value: 15, kind: 'rate of change', direction: 'below' },
    {
      options: { rules: [{ name: 'warm', above: 24 }] },
      value: 25,
      kind: 'rule',
      direction: 'above',
    },
    {
      options: { rules: [{ name: 'cold', below: 16 }] },
      value: 15,
      kind: 'rule',
      direction: 'below',
    },
  ])('call $value $kind for $options', ({ options, value, kind, direction }) => {
    const reports = told(celsius, (index) => (index === 0 ? value : celsius()), { options });
    const ofLimit = reports.filter(({ anomaly }) => anomaly.kind === kind);
    expect(ofLimit.map(({ change }) => change)).toEqual(['opens', 'closes']);
    expect(ofLimit[0]?.anomaly.direction).toBe(direction);
  });

  it('leave a rule open between its threshold and its clearing point, whatever comes and goes', () => {
    const options = { rules: [{ name: 'dry', below: 20, clear: 25 }] };
    const values = [30, 19, 21, 19, 24, 19.5, 22, 25, 24, 19];
    const { verdicts } = observeAll(
      newMetric(),
      values.map((value, index) => at(index, value)),
      options,
    );
    const changes = verdicts.map(({ reports }) => reports[0]?.change ?? '-');
    expect(changes.join(' ')).toBe('- opens - - - - - closes - opens');
  });
});

it('finds one device on two transports at once', () => {
  const reading = (minute: number, transport: string): DeviceReading => ({
    observedAtMs: BEGIN_MS + minute * MINUTE_MS,
    receivedAtMs: BEGIN_MS + minute * MINUTE_MS + 100,
    transport,
    metrics: { t: 20 + (minute % 7) },
  });
  const { reports } = observeDevice(
    newDevice(),
    Array.from({ length: 12 }, (_, minute) => reading(minute, minute % 2 ? 'mqtt' : 'lorawan')),
  );
  expect(reports).toMatchObject([{ change: 'opens', anomaly: { kind: 'two connections' } }]);
  const [first] = reports;
  expect(first && sentenceOf({ thing: 'probe-1' }, first.anomaly)).toMatch(
    /two connections at once \((lorawan and mqtt|mqtt and lorawan)\)/,
  );
});
