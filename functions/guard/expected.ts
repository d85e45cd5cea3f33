import type { TimeLeft } from '../../shared/adapters/retry.ts';
import type { StatisticsTable } from '../../shared/adapters/security/statistics-table.ts';
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

/** What all devices of a fleet are held against. */
interface Expected {
  readonly behaviors: readonly ActiveBehavior[];
  /** Those of them that compare a device with its fleet. */
  readonly compared: readonly ActiveBehavior[];
}

const byProfiles = new WeakMap<readonly SecurityProfile[], Map<string, Expected>>();

/** What a device of a fleet is held against, with what the fleet did where that is asked for. */
export async function expectedOf(
  thing: string,
  fleet: string | undefined,
  { profiles, statistics, now }: Deps,
  timeLeft: TimeLeft,
): Promise<Watched> {
  const { behaviors, compared } = expectedOfFleet(profiles, fleet);
  if (compared.length === 0) return { thing, behaviors, nowMs: now() };
  const histograms = await histogramsOf(compared, fleet ?? '', statistics, timeLeft);
  return {
    thing,
    behaviors,
    nowMs: now(),
    percentile: (key, percent) => percentileOf(histograms.get(key) ?? new Map(), percent),
  };
}

function expectedOfFleet(
  profiles: readonly SecurityProfile[],
  fleet: string | undefined,
): Expected {
  const byFleet = byProfiles.get(profiles) ?? new Map<string, Expected>();
  byProfiles.set(profiles, byFleet);
  const expected = byFleet.get(fleet ?? '') ?? newExpected(profiles, fleet);
  byFleet.set(fleet ?? '', expected);
  return expected;
}

function newExpected(profiles: readonly SecurityProfile[], fleet: string | undefined): Expected {
  const behaviors = activeBehaviors(profiles, { fleet });
  const compared = behaviors.filter(
    ({ behavior }) => behavior.criteria.statisticalThreshold !== undefined,
  );
  return { behaviors, compared };
}

async function histogramsOf(
  compared: readonly ActiveBehavior[],
  fleet: string,
  statistics: Deps['statistics'],
  timeLeft: TimeLeft,
): Promise<ReadonlyMap<string, Histogram>> {
  const histograms = new Map<string, Histogram>();
  for (const { key } of compared) {
    histograms.set(key, await statistics.histogram(fleet, key, timeLeft));
  }
  return histograms;
}
