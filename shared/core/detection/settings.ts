import * as z from 'zod';
import { Name } from '../names.ts';
import { isMetricName } from '../reading.ts';
import { type DetectorModel, DetectorModelError, importDetectorModel } from './detector-model.ts';
import { MetricOptions, mergeOptions } from './options.ts';

const MetricName = z.string().refine(isMetricName, 'is not a metric name');
const When = { by: z.string().min(1).max(128).optional(), atMs: z.int().min(0).optional() };

/** Options of what a fleet's devices send: of one device, of a type of devices, or of all; of one metric, or of all. */
const OptionsSetting = z
  .strictObject({
    what: z.literal('options'),
    fleet: Name,
    thing: Name.optional(),
    type: Name.optional(),
    metric: MetricName.optional(),
    options: MetricOptions,
    ...When,
  })
  .refine(({ thing, type }) => thing === undefined || type === undefined, {
    path: ['type'],
    message: 'a setting is of a thing or of a type, not of both',
  });

/** Of which type a device is. */
const TypeSetting = z.strictObject({
  what: z.literal('type'),
  fleet: Name,
  thing: Name,
  type: Name,
  ...When,
});

/**
 * A detector model of AWS IoT Events, one detector for each device; an anomaly is open while it is in a state that is
 * not normal.
 */
const ModelSetting = z.strictObject({
  what: z.literal('model'),
  fleet: Name,
  name: Name,
  type: Name.optional(),
  /** As `DescribeDetectorModel` or an export gives it. */
  model: z.record(z.string(), z.unknown()),
  /** Name of the model's input that readings stand for. */
  input: z.string().min(1).max(128),
  /** States without an anomaly; the initial one where none is named. */
  normalStates: z.array(z.string().min(1).max(128)).max(64).optional(),
  /** Actions that are left to whoever hears of the anomaly: `sns`, `iotTopicPublish`, … */
  tellInsteadOf: z.array(z.string().min(1).max(64)).max(16).optional(),
  ...When,
});

/** One item of the table `detection-settings`. */
export const DetectionSetting = z.discriminatedUnion('what', [
  OptionsSetting,
  TypeSetting,
  ModelSetting,
]);
export type DetectionSetting = z.infer<typeof DetectionSetting>;

/** A setting's place within its fleet: a second one with the same place replaces the first. Metrics come last, as they may hold `#`. */
export function settingSortKey(setting: DetectionSetting): string {
  switch (setting.what) {
    case 'type':
      return `type#${setting.thing}`;
    case 'model':
      return `model#${setting.name}`;
    case 'options':
      return setting.thing === undefined
        ? `options#type#${setting.type ?? ''}#${setting.metric ?? ''}`
        : `options#thing#${setting.thing}#${setting.metric ?? ''}`;
  }
}

/** A detector model that is ready, and what its states mean. */
export interface WatchedModel {
  readonly name: string;
  readonly input: string;
  readonly model: DetectorModel;
  readonly normalStates: ReadonlySet<string>;
}

/** What holds for one device. */
export interface DeviceSettings {
  /** @param metric  none: the device itself, of which only muting counts */
  optionsOf(metric: string | undefined): MetricOptions;
  readonly models: readonly WatchedModel[];
}

/** What holds in a fleet, and what of it could not be read. */
export interface FleetSettings {
  of(thing: string): DeviceSettings;
  readonly problems: readonly string[];
}

/** Merges what is set in a fleet: the nearest wins (thing, type, fleet; metric before all metrics), the longest mute. */
export function fleetSettings(
  settings: readonly DetectionSetting[],
  unreadable: readonly string[] = [],
): FleetSettings {
  const problems = [...unreadable];
  const options = new Map<string, MetricOptions>();
  const types = new Map<string, string>();
  const models: { readonly type: string | undefined; readonly watched: WatchedModel }[] = [];
  for (const setting of settings) {
    if (setting.what === 'options') options.set(settingSortKey(setting), setting.options);
    else if (setting.what === 'type') types.set(setting.thing, setting.type);
    else {
      const watched = watchedModel(setting, problems);
      if (watched !== undefined) models.push({ type: setting.type, watched });
    }
  }
  const merged = new Map<string, MetricOptions>();
  const own = new Set(
    settings.flatMap((setting) =>
      setting.what === 'options' && setting.thing !== undefined ? [setting.thing] : [],
    ),
  );
  return {
    problems,
    of(thing) {
      const type = types.get(thing);
      return {
        models: models
          .filter((model) => model.type === undefined || model.type === type)
          .map(({ watched }) => watched),
        optionsOf(metric) {
          if (options.size === 0) return NONE;
          const place = `${own.has(thing) ? thing : ''}#${type ?? ''}#${metric ?? ''}`;
          const known = merged.get(place);
          if (known !== undefined) return known;
          const fresh = merge(layersOf(thing, type, metric).map((key) => options.get(key)));
          if (merged.size < MERGED_LIMIT) merged.set(place, fresh);
          return fresh;
        },
      };
    },
  };
}

const NONE: MetricOptions = {};
/** Remembered mergers of a fleet; what exceeds them is merged anew. */
const MERGED_LIMIT = 50_000;

/** From the nearest to the farthest. */
function layersOf(
  thing: string,
  type: string | undefined,
  metric: string | undefined,
): readonly string[] {
  const metrics = metric === undefined ? [''] : [metric, ''];
  const scopes = [
    `options#thing#${thing}`,
    ...(type === undefined ? [] : [`options#type#${type}`]),
    'options#type#',
  ];
  return scopes.flatMap((scope) => metrics.map((name) => `${scope}#${name}`));
}

function merge(layers: readonly (MetricOptions | undefined)[]): MetricOptions {
  const present = layers.filter((layer) => layer !== undefined);
  if (present.length === 0) return NONE;
  const mutedUntilMs = Math.max(0, ...present.map((layer) => layer.mutedUntilMs ?? 0));
  const { mutedUntilMs: _nearest, ...rest } = mergeOptions(present);
  return mutedUntilMs === 0 ? rest : { ...rest, mutedUntilMs };
}

function watchedModel(
  { name, input, model, normalStates, tellInsteadOf = [] }: z.infer<typeof ModelSetting>,
  problems: string[],
): WatchedModel | undefined {
  try {
    const imported = importDetectorModel(model, { tellInsteadOf });
    const normal = normalStates ?? [imported.initialState];
    return { name, input, model: imported, normalStates: new Set(normal) };
  } catch (error) {
    if (!(error instanceof DetectorModelError)) throw error;
    problems.push(`model#${name}: ${error.problems.join('; ')}`);
    return undefined;
  }
}
