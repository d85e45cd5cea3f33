import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Laptop } from '../local/cloud.ts';
import type { Fault } from '../local/fleet/faults.ts';
import type { FaultRequest, FaultStage } from '../local/fleet/fleet.ts';
import { swingOf } from '../local/fleet/sensor.ts';
import { CLIMATE, isClimateMetric } from '../local/fleet/simulated-device.ts';
import { detectionSettingsTable } from '../shared/adapters/detection/detection-settings-table.ts';
import { duration } from '../shared/core/detection/explain.ts';
import { DEMO_FLEET } from './demo-devices.ts';
import { CHANNELS, FAULTY_RADIOS } from './demo-radio.ts';
import type { News } from './screen.ts';
import { OPERATOR } from './target.ts';

const PATIENCE_MS = 30_000;

/** What a device does that has the fault. */
const DOES: Readonly<Record<Fault, (metric: string) => string>> = {
  spike: (metric) => `its ${metric} is far too high`,
  'level-shift': (metric) => `its ${metric} is lower than it was`,
  drift: (metric) => `its ${metric} drifts upwards`,
  stuck: (metric) => `its ${metric} is stuck`,
  noise: (metric) => `its ${metric} is noisy`,
  range: (metric) => `its ${metric} reads what cannot be`,
  rate: (metric) => `its ${metric} changes too fast`,
  unit: (metric) => `its ${metric} is told in another unit`,
  'missing-metric': (metric) => `it leaves its ${metric} out`,
  silent: () => 'it is silent',
  'clock-jump': () => 'its clock is three hours behind',
  clone: () => 'something else with its certificate sends too, by another protocol',
};

/** What has to be known of a fault to wait for the right thing. */
const NOTES: Partial<Readonly<Record<Fault, string>>> = {
  drift: 'Within minutes it is called a spike or a level shift: a drift is told by ten days.',
  silent: 'It is called silent by the next quarter of an hour, after two minutes at least.',
  'missing-metric': 'A metric is called missing after a minute.',
};

/** What the screen says of a fault; times are UTC. */
export function faultNews(
  { thing, fault, metric, afterMs, lastsMs }: FaultRequest,
  stage: FaultStage,
  { nowMs, backlog }: { readonly nowMs: number; readonly backlog: number },
): News {
  const does = DOES[fault](metric);
  if (stage === 'begins') return { label: 'fault', lines: [`${thing}: from now on ${does}.`] };
  if (stage === 'over') return { label: 'fault', lines: [`${thing}: as it should be again.`] };
  const note = NOTES[fault];
  const from = `${new Date(nowMs + afterMs).toISOString().slice(11, 19)}Z`;
  return {
    label: 'fault',
    lines: [
      backlog > 0
        ? `${thing} has sent the ${backlog} readings that it had buffered, so that it is known by now.`
        : `${thing} has nothing from before to send; it is known after 32 readings.`,
      `From ${from} on, for ${duration(lastsMs)}, ${does}.`,
      ...(note === undefined ? [] : [note]),
    ],
  };
}

/** What a metric is called behind the codec of the device. */
const storedName = (thing: string, metric: 'temperature' | 'humidity' | 'battery'): string =>
  metric !== 'battery' && FAULTY_RADIOS.some((radio) => radio.thing === thing)
    ? CHANNELS[metric]
    : metric;

/** A rate is too high only where it is said how high it may be: as much in a second as a sensor moves in a day. */
export async function setLimits(
  { awsEndpoint, region }: Laptop,
  stage: string,
  requests: readonly FaultRequest[],
  now: () => number,
): Promise<void> {
  const client = new DynamoDBClient({ endpoint: awsEndpoint, region, credentials: OPERATOR });
  const tools = {
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
  const settings = detectionSettingsTable(client, `tributary-${stage}-detection-settings`, tools);
  const until = now() + PATIENCE_MS;
  for (const { fault, thing, metric } of requests) {
    if (fault !== 'rate' || !isClimateMetric(metric)) continue;
    const options = { maxRatePerSecond: swingOf(CLIMATE[metric]) };
    const setting = {
      what: 'options',
      fleet: DEMO_FLEET,
      thing,
      metric: storedName(thing, metric),
      options,
    } as const;
    await settings.put({ ...setting, by: 'npm start', atMs: now() }, () => until - now());
  }
}
