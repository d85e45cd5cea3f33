import * as z from 'zod';
import { isCidr } from './address.ts';
import { isMetricName, METRICS, UNWATCHED } from './metrics.ts';

const NUMERIC = ['less-than', 'less-than-equals', 'greater-than', 'greater-than-equals'] as const;
const SETS = {
  count: NUMERIC,
  cidrs: ['in-cidr-set', 'not-in-cidr-set'],
  ports: ['in-port-set', 'not-in-port-set'],
} as const;

const ComparisonOperator = z.enum([...NUMERIC, ...SETS.cidrs, ...SETS.ports]);
export type ComparisonOperator = z.infer<typeof ComparisonOperator>;

/** A value as AWS writes it: by what it is. */
export const MetricValue = z.object({
  count: z.number().nonnegative().optional(),
  cidrs: z.array(z.string()).optional(),
  ports: z.array(z.int().min(0).max(65_535)).optional(),
  number: z.number().optional(),
  numbers: z.array(z.number()).optional(),
  strings: z.array(z.string()).optional(),
});
export type MetricValue = z.infer<typeof MetricValue>;

const STATISTICS = [
  'p0',
  'p0.1',
  'p0.01',
  'p1',
  'p10',
  'p50',
  'p90',
  'p99',
  'p99.9',
  'p99.99',
  'p100',
] as const;

export const CONFIDENCE = ['LOW', 'MEDIUM', 'HIGH'] as const;

const Datapoints = z.int().min(1).max(10);

const Criteria = z.strictObject({
  comparisonOperator: ComparisonOperator.optional(),
  value: MetricValue.optional(),
  /** Of a datapoint; AWS takes these five. */
  durationSeconds: z.literal([300, 600, 900, 1800, 3600]).optional(),
  consecutiveDatapointsToAlarm: Datapoints.default(1),
  consecutiveDatapointsToClear: Datapoints.default(1),
  /** Of what the devices of the fleet do, in place of a value. */
  statisticalThreshold: z.strictObject({ statistic: z.enum(STATISTICS) }).optional(),
  /** Of what the device itself has done so far, in place of a value. */
  mlDetectionConfig: z.strictObject({ confidenceLevel: z.enum(CONFIDENCE) }).optional(),
});

/** The criteria describe what is *normal*: a device that does not meet them is in violation. */
const Behavior = z
  .strictObject({
    name: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/, 'wants 1 to 128 of A-Z a-z 0-9 : _ -'),
    metric: z.string(),
    criteria: Criteria,
    /** Evaluated and kept, but nobody is told. */
    suppressAlerts: z.boolean().optional(),
  })
  .superRefine((behavior, context) => {
    for (const [path, message] of problemsOf(behavior)) {
      context.addIssue({ code: 'custom', path, message });
    }
  });
export type Behavior = z.infer<typeof Behavior>;

const TARGET =
  /^(?:all\/(?:things|registered-things|unregistered-things)|thinggroup\/[\w:-]{1,128})$/;

/**
 * What devices are expected to do, in the vocabulary of AWS IoT's security profiles, so that one can be moved there
 * and back. A fleet is the thing group of its name.
 *
 * @see AWS IoT API Reference, CreateSecurityProfile, Behavior, BehaviorCriteria
 */
export const SecurityProfile = z.strictObject({
  securityProfileName: z.string().regex(/^[a-zA-Z0-9:_-]{1,128}$/),
  securityProfileDescription: z.string().max(1000).optional(),
  behaviors: z.array(Behavior).min(1).max(100),
  /** What an ARN of a target ends in. */
  targets: z.array(z.string().regex(TARGET, 'wants all/things or thinggroup/<name>')).min(1),
});
export type SecurityProfile = z.infer<typeof SecurityProfile>;

type Problem = readonly [path: PropertyKey[], message: string];

function problemsOf({ metric, criteria }: z.infer<typeof Behavior>): readonly Problem[] {
  if (!isMetricName(metric)) {
    return [[['metric'], UNWATCHED[metric] ?? 'is not among the metrics that are watched here']];
  }
  const { value: kind, fold } = METRICS[metric];
  const problems: Problem[] = [];
  const { comparisonOperator, value, durationSeconds, statisticalThreshold, mlDetectionConfig } =
    criteria;
  const thresholds = [value, statisticalThreshold, mlDetectionConfig].filter(Boolean).length;
  if (thresholds !== 1) {
    const wanted = 'wants one of value, statisticalThreshold and mlDetectionConfig';
    problems.push([['criteria'], wanted]);
  }
  if (mlDetectionConfig === undefined) {
    const operators: readonly string[] = SETS[kind];
    if (comparisonOperator === undefined || !operators.includes(comparisonOperator)) {
      problems.push([
        ['criteria', 'comparisonOperator'],
        `wants ${operators.join(', ')} for ${metric}`,
      ]);
    }
  } else if (comparisonOperator !== undefined) {
    problems.push([['criteria', 'comparisonOperator'], 'is not for what is learned']);
  }
  if (kind !== 'count' && value === undefined) {
    problems.push([['criteria', 'value'], `wants ${kind}: there is no statistic of a set`]);
  }
  if (value !== undefined && value[kind] === undefined) {
    problems.push([['criteria', 'value'], `wants ${kind} for ${metric}`]);
  }
  if (value?.cidrs?.every(isCidr) === false) {
    problems.push([['criteria', 'value', 'cidrs'], 'wants address/bits']);
  }
  if ((fold === 'sum') !== (durationSeconds !== undefined)) {
    const wanted = fold === 'sum' ? 'is wanted' : 'is not';
    problems.push([['criteria', 'durationSeconds'], `${wanted} for ${metric}`]);
  }
  return problems;
}

/** A behaviour that is evaluated for a device, and what its state is kept under. */
export interface ActiveBehavior {
  readonly key: string;
  readonly profile: string;
  readonly behavior: Behavior;
}

/** What a device is, as far as targets tell. */
export interface Membership {
  /** None for who is in no directory. */
  readonly fleet: string | undefined;
}

/** The behaviours that a device is held against. */
export function activeBehaviors(
  profiles: readonly SecurityProfile[],
  { fleet }: Membership,
): readonly ActiveBehavior[] {
  const mine = new Set([
    'all/things',
    fleet === undefined ? 'all/unregistered-things' : 'all/registered-things',
    ...(fleet === undefined ? [] : [`thinggroup/${fleet}`]),
  ]);
  return profiles
    .filter(({ targets }) => targets.some((target) => mine.has(target)))
    .flatMap(({ securityProfileName: profile, behaviors }) =>
      behaviors.map((behavior) => ({ key: `${profile}/${behavior.name}`, profile, behavior })),
    );
}

/**
 * @param text      `default`, or a JSON list of profiles
 * @throws {Error}  naming each field that is not as in a profile
 */
export function parseProfiles(
  text: string,
  fallback: readonly SecurityProfile[],
): readonly SecurityProfile[] {
  if (text === 'default') return fallback;
  const result = z.array(SecurityProfile).safeParse(parseJson(text));
  if (result.success) return result.data;
  throw new Error(`security profiles: ${z.prettifyError(result.error)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('security profiles: want default, or a JSON list', { cause: error });
  }
}
