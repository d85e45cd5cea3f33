import type { TimeLeft } from '../../shared/adapters/retry.ts';
import type { StatisticsTable } from '../../shared/adapters/statistics-table.ts';
import { type Histogram, percentileOf } from '../../shared/core/security/histogram.ts';
import {
  type ActiveBehavior,
  activeBehaviors,
  type SecurityProfile,
} from '../../shared/core/security/profile.ts';
import type { Watched } from '../../shared/core/security/watch.ts';

interface Deps {
  readonly profiles: readonly SecurityProfile[];
  readonly statistics: Pick<StatisticsTable, 'histogram'>;
  readonly now: () => number;
}

const active = new WeakMap<readonly SecurityProfile[], Map<string, readonly ActiveBehavior[]>>();

/** What a device of a fleet is held against, with what the fleet did where that is asked for. */
export async function expectedOf(
  thing: string,
  fleet: string | undefined,
  { profiles, statistics, now }: Deps,
  timeLeft: TimeLeft,
): Promise<Watched> {
  const behaviors = behaviorsOf(profiles, fleet);
  const histograms = await histogramsOf(behaviors, fleet ?? '', statistics, timeLeft);
  return {
    thing,
    behaviors,
    nowMs: now(),
    percentile: (key, percent) => percentileOf(histograms.get(key) ?? new Map(), percent),
  };
}

/** Devices of a fleet are held against the same behaviours. */
function behaviorsOf(
  profiles: readonly SecurityProfile[],
  fleet: string | undefined,
): readonly ActiveBehavior[] {
  const byFleet = active.get(profiles) ?? new Map<string, readonly ActiveBehavior[]>();
  active.set(profiles, byFleet);
  const behaviors = byFleet.get(fleet ?? '') ?? activeBehaviors(profiles, { fleet });
  byFleet.set(fleet ?? '', behaviors);
  return behaviors;
}

async function histogramsOf(
  behaviors: readonly ActiveBehavior[],
  fleet: string,
  statistics: Deps['statistics'],
  timeLeft: TimeLeft,
): Promise<ReadonlyMap<string, Histogram>> {
  const histograms = new Map<string, Histogram>();
  for (const { key, behavior } of behaviors) {
    if (behavior.criteria.statisticalThreshold === undefined) continue;
    histograms.set(key, await statistics.histogram(fleet, key, timeLeft));
  }
  return histograms;
}
