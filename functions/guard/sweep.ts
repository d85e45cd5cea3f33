import type { Fleets } from '../../shared/adapters/readings/device-table.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import {
  DUE_BUCKETS,
  type GuardTable,
  type Kept,
} from '../../shared/adapters/security/guard-table.ts';
import type { StatisticsTable } from '../../shared/adapters/security/statistics-table.ts';
import type { Topic } from '../../shared/adapters/topic.ts';
import type { SecurityProfile } from '../../shared/core/security/profile.ts';
import { endSilentAlarms, SILENT_MS } from '../../shared/core/security/silence.ts';
import type { Log } from '../../shared/lambda/log.ts';
import { expectedOf } from './expected.ts';

/** What the sweep needs of what the function has. */
export interface SweepDeps {
  readonly profiles: readonly SecurityProfile[];
  readonly fleets: {
    fleetsOf(things: readonly string[], timeLeft: TimeLeft): Promise<Fleets>;
  };
  readonly devices: GuardTable;
  readonly statistics: Pick<StatisticsTable, 'histogram'>;
  readonly findings: Topic;
  readonly log: Log;
  readonly now: () => number;
}

/** Enough to save and publish what was begun. */
const RESERVE_MS = 10_000;

/**
 * Every five minutes: ends the alarms of devices that have fallen silent, of which no event would, and publishes
 * findings that were recorded and did not get out. What there is no time for is there the next time.
 */
export async function sweep(arn: string, deps: SweepDeps, timeLeft: TimeLeft): Promise<void> {
  let ended = 0;
  const since = deps.now() - SILENT_MS;
  for (let bucket = 0; bucket < DUE_BUCKETS; bucket += 1) {
    for await (const things of deps.devices.silent(bucket, since, timeLeft)) {
      ended += await endAll(things, arn, deps, timeLeft);
      if (timeLeft() < RESERVE_MS) return;
    }
  }
  if (ended > 0) deps.log('info', 'alarms of silent devices ended', { findings: ended });
}

/** @returns how many findings were published */
async function endAll(
  things: readonly string[],
  arn: string,
  deps: SweepDeps,
  timeLeft: TimeLeft,
): Promise<number> {
  const [{ known }, { kept }] = await Promise.all([
    deps.fleets.fleetsOf(things, timeLeft),
    deps.devices.load(things, timeLeft),
  ]);
  let ended = 0;
  for (const [thing, one] of kept) {
    ended += await end(thing, known.get(thing), one, arn, deps, timeLeft);
  }
  return ended;
}

async function end(
  thing: string,
  fleet: string | undefined,
  kept: Kept,
  arn: string,
  { devices, findings, now, ...deps }: SweepDeps,
  timeLeft: TimeLeft,
): Promise<number> {
  const watched = await expectedOf(thing, fleet, { ...deps, now }, timeLeft);
  const outcome = endSilentAlarms(kept.state, watched);
  const due = [...kept.unpublished, ...outcome.findings];
  if (due.length === 0) return 0;
  const { upTo } = kept.state;
  const recorded = { state: outcome.state, unpublished: due };
  // whoever was faster has heard of the device: it is silent no more
  if ((await devices.save(thing, recorded, upTo, now(), timeLeft)).length > 0) return 0;
  const bodies = due.map((finding) => ({ body: JSON.stringify(finding) }));
  if ((await findings.publish(arn, bodies, timeLeft)).length > 0) return 0;
  await devices.save(thing, { ...recorded, unpublished: [] }, upTo, now(), timeLeft);
  return due.length;
}
