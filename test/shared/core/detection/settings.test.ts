import { describe, expect, it } from '@jest/globals';
import {
  DetectionSetting,
  fleetSettings,
  settingSortKey,
} from '../../../../shared/core/detection/settings.ts';

const T0 = 1_790_000_000_000;
const fleet = 'acme';
const options = (scope: object, set: object): DetectionSetting =>
  DetectionSetting.parse({ what: 'options', fleet, ...scope, options: set });

describe('settings', () => {
  const settings = [
    options({}, { direction: 'above', range: { high: 100 }, maxRatePerSecond: 1 }),
    options({ metric: 'temperature' }, { range: { high: 60 }, unit: 'Cel' }),
    options({ type: 'probe' }, { range: { high: 50 } }),
    options({ type: 'probe', metric: 'temperature' }, { range: { high: 40 } }),
    options({ thing: 'probe-1' }, { range: { high: 30 } }),
    options({ thing: 'probe-1', metric: 'temperature' }, { range: { high: 20 } }),
    { what: 'type', fleet, thing: 'probe-1', type: 'probe' } as const,
    { what: 'type', fleet, thing: 'probe-2', type: 'probe' } as const,
  ];
  const { of } = fleetSettings(settings);

  it.each([
    { thing: 'probe-1', metric: 'temperature', high: 20 },
    { thing: 'probe-1', metric: 'humidity', high: 30 },
    { thing: 'probe-2', metric: 'temperature', high: 40 },
    { thing: 'probe-2', metric: 'humidity', high: 50 },
    { thing: 'other', metric: 'temperature', high: 60 },
    { thing: 'other', metric: 'humidity', high: 100 },
  ])('of $metric of $thing are the nearest, and farther ones where it sets none', (given) => {
    const { thing, metric, high } = given;
    expect(of(thing).optionsOf(metric)).toMatchObject({
      range: { high },
      direction: 'above',
      maxRatePerSecond: 1,
    });
  });

  it('mute for as long as the longest mute, however near the others are', () => {
    const { of: muted } = fleetSettings([
      options({}, { mutedUntilMs: T0 + 2 }),
      options({ thing: 'probe-1', metric: 'x' }, { mutedUntilMs: T0 + 1 }),
      options({ thing: 'probe-2' }, { mutedUntilMs: T0 + 3 }),
    ]);
    expect(muted('probe-1').optionsOf('x').mutedUntilMs).toBe(T0 + 2);
    expect(muted('probe-2').optionsOf('x').mutedUntilMs).toBe(T0 + 3);
    expect(muted('probe-2').optionsOf(undefined).mutedUntilMs).toBe(T0 + 3);
  });

  it('have a place each, so that no two of them are one', () => {
    const metrics = [undefined, 'a', 'a#b', '#', 'thing#probe'];
    const scopes = [{}, { thing: 'probe' }, { type: 'probe' }];
    const keys = scopes.flatMap((scope) =>
      metrics.map((metric) => settingSortKey(options({ ...scope, metric }, {}))),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it.each([
    { setting: { what: 'options', fleet, thing: 'a', type: 'b', options: {} }, path: 'type' },
    { setting: { what: 'options', fleet, options: { range: { low: 'x' } } }, path: 'low' },
    { setting: { what: 'options', fleet, option: {} }, path: 'options' },
    { setting: { what: 'type', fleet: 'no name', thing: 'a', type: 'b' }, path: 'fleet' },
    { setting: { what: 'nonsense' }, path: 'what' },
  ])('are refused where they make no sense, naming $path', ({ setting, path }) => {
    const { error } = DetectionSetting.safeParse(setting);
    expect(error?.issues.map((issue) => issue.path.at(-1))).toContain(path);
  });
});

describe('a detector model', () => {
  const model = (more: object) =>
    DetectionSetting.parse({
      what: 'model',
      fleet,
      name: 'boiler',
      input: 'boiler',
      model: {
        detectorModelDefinition: {
          initialStateName: 'Normal',
          states: [
            {
              stateName: 'Normal',
              onEnter: {
                events: [{ eventName: 'tell', actions: [{ sns: { targetArn: 'arn:aws:sns:x' } }] }],
              },
            },
          ],
        },
      },
      ...more,
    });

  it('holds for its type, or for all', () => {
    const tellInsteadOf = ['sns'];
    const { of, problems } = fleetSettings([
      model({ tellInsteadOf }),
      model({ tellInsteadOf, name: 'other', type: 'probe' }),
      { what: 'type', fleet, thing: 'probe-1', type: 'probe' },
    ]);
    expect(problems).toEqual([]);
    expect(of('probe-1').models.map(({ name }) => name)).toEqual(['boiler', 'other']);
    expect(of('probe-2').models.map(({ name }) => name)).toEqual(['boiler']);
  });

  it('that cannot be imported is named, and the rest holds', () => {
    const { of, problems } = fleetSettings([model({}), options({}, { direction: 'above' })]);
    expect(problems).toEqual([
      expect.stringMatching(/^model#boiler: .*action sns is not supported/),
    ]);
    expect(of('probe-1').models).toEqual([]);
    expect(of('probe-1').optionsOf('x')).toEqual({ direction: 'above' });
  });
});
