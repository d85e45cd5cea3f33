import { inParallel } from '../../shared/adapters/chunks.ts';
import type { DueLook } from '../../shared/adapters/detection/look-table.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import { watchIngestion } from '../../shared/core/detection/ingestion.ts';
import { type LookAt, unpackLook } from '../../shared/core/detection/looks.ts';
import type { Outage } from '../../shared/core/detection/pulse.ts';
import {
  checkWatched,
  nextLookMs,
  nextTimerMs,
  type Watched,
} from '../../shared/core/detection/watched.ts';
import { type DetectDeps, type DetectInvocation, topicArn } from './detect.ts';
import { emptyOutbox } from './outbox.ts';

/** An outbox that is younger is on its way to be published by whoever filled it. */
const UNPUBLISHED_MS = 30_000;
const RESERVE_MS = 5_000;
/** Entries of the index that a sweep takes of each shard, and devices that it reads at once. */
const ENTRIES = 25;
const DEVICES = 100;
/** Devices that are told of at once. */
const WIDTH = 16;
/** When to look again at a device that only an outage excuses, or that could not be looked at. */
const EXCUSED_MS = 5 * 60_000;

/** In CloudWatch's embedded metric format, once a sweep: the log is the way of the metric. */
const READINGS_MISSING = 'readingsMissing';

/** One run of the sweep: what it works with, and what it found before it came to a device. */
interface Run {
  readonly deps: DetectDeps;
  readonly arn: string;
  readonly outages: readonly Outage[];
  readonly timeLeft: TimeLeft;
}

/**
 * Each minute: publishes what was committed and not published, looks whether anything is ingested at all, and if so,
 * which devices are overdue.
 */
export const sweep =
  (deps: DetectDeps) =>
  async (invocation: DetectInvocation): Promise<void> => {
    const timeLeft = () => invocation.getRemainingTimeInMillis() - RESERVE_MS;
    const arn = topicArn(invocation, deps);
    await publishPending(arn, deps, timeLeft);
    const outages = await lookAtIngestion(deps, timeLeft);
    if (outages !== undefined) await lookAtDevices({ deps, arn, outages, timeLeft });
  };

async function publishPending(arn: string, deps: DetectDeps, timeLeft: TimeLeft): Promise<void> {
  const { devices, log, now } = deps;
  const things = await devices.pending(timeLeft);
  for (let at = 0; at < things.length; at += DEVICES) {
    const { kept } = await devices.load(things.slice(at, at + DEVICES), timeLeft);
    await inParallel([...kept], WIDTH, async ([thing, one]) => {
      const isOld = now() - one.outboxSinceMs >= UNPUBLISHED_MS;
      if (one.outbox.length === 0 || !isOld || timeLeft() <= 0) return;
      log('warn', 'anomalies were left untold', { thing, anomalies: one.outbox.length });
      await alone(thing, deps, () => emptyOutbox(thing, one, arn, deps, timeLeft));
    });
  }
}

const FAILED = Symbol('failed');

/** What goes wrong with one device is its own affair: the sweep goes on, and comes again. */
async function alone<Result>(
  thing: string,
  { log }: DetectDeps,
  step: () => Promise<Result>,
): Promise<Result | typeof FAILED> {
  try {
    return await step();
  } catch (error) {
    log('error', 'a device could not be swept', { thing, error });
    return FAILED;
  }
}

/** @returns the outages so far; none while there is one, as nobody is silent then */
async function lookAtIngestion(
  { ingestion, stage, log, now }: DetectDeps,
  timeLeft: TimeLeft,
): Promise<readonly Outage[] | undefined> {
  const [before, marks] = await Promise.all([ingestion.load(timeLeft), ingestion.marks(timeLeft)]);
  const { ingestion: next, down } = watchIngestion(before, marks, now());
  await ingestion.save(next, timeLeft);
  log('info', 'swept', {
    _aws: {
      Timestamp: now(),
      CloudWatchMetrics: [
        { Namespace: 'Tributary', Dimensions: [['stage']], Metrics: [{ Name: READINGS_MISSING }] },
      ],
    },
    stage,
    [READINGS_MISSING]: down === undefined ? 0 : 1,
  });
  if (down !== undefined && !before.isDown) {
    log('warn', 'readings do not come in, and nobody is called silent meanwhile', { why: down });
  } else if (down === undefined && before.isDown) log('info', 'readings come in again');
  return down === undefined ? next.outages : undefined;
}

async function lookAtDevices(run: Run): Promise<void> {
  const { looks, log, now } = run.deps;
  const due = await looks.due(
    now(),
    ENTRIES,
    ({ pk, sk }) => log('error', 'an entry of the index of deadlines cannot be read', { pk, sk }),
    run.timeLeft,
  );
  const seen = new Set<string>();
  for (const entry of due) {
    if (run.timeLeft() <= 0) return;
    await lookAt(entry, seen, run);
  }
}

/** The later entries are there before the one that is due goes: a sweep that dies in between is repeated. */
async function lookAt(entry: DueLook, seen: Set<string>, run: Run): Promise<void> {
  const { devices, looks } = run.deps;
  const again: LookAt[] = [];
  const asked = unpackLook(entry).filter((look) => !seen.has(placeOf(look)));
  for (let at = 0; at < asked.length; at += DEVICES) {
    const some = asked.slice(at, at + DEVICES);
    const { known, failures } = await devices.peek(
      some.map(({ thing }) => thing),
      run.timeLeft,
    );
    if (failures.length > 0) return;
    const later = await inParallel(some, WIDTH, async (look): Promise<readonly LookAt[]> => {
      const watched = known.get(look.thing);
      if (watched === undefined) return [];
      const asked = await alone(look.thing, run.deps, () => lookAtDevice(look, watched, run));
      const atMs = asked === FAILED ? run.deps.now() + EXCUSED_MS : asked;
      return atMs === undefined ? [] : [{ ...look, atMs }];
    });
    for (const look of some) seen.add(placeOf(look));
    again.push(...later.flat());
  }
  const failures = await looks.enter(again, run.timeLeft);
  if (failures.length === 0) await looks.leave(entry.key, run.timeLeft);
}

/** A device has one place in the index for its silence, and one for the timers of its models. */
const placeOf = ({ thing, timers }: LookAt): string => `${timers ? 'timers' : 'silence'} ${thing}`;

/** @returns when to look again; none when the device is known to be silent, or has no timer left */
async function lookAtDevice(
  { thing, fleet, timers }: LookAt,
  peeked: Watched,
  { deps, arn, outages, timeLeft }: Run,
): Promise<number | undefined> {
  const { devices } = deps;
  const nowMs = deps.now();
  const settings = (await deps.settings.of(fleet, timeLeft)).of(thing);
  const check = (watched: Watched) =>
    checkWatched(watched, { thing, fleet }, nowMs, outages, settings);
  const later = (watched: Watched): number | undefined => {
    const atMs = timers
      ? nextTimerMs(watched)
      : nextLookMs(watched, settings.optionsOf(undefined).mutedUntilMs);
    return atMs === undefined || atMs > nowMs ? atMs : nowMs + EXCUSED_MS;
  };
  if (check(peeked).next === peeked) return later(peeked);
  const before = (await devices.load([thing], timeLeft)).kept.get(thing);
  if (before === undefined) return nowMs + EXCUSED_MS;
  const { next, records } = check(before.watched);
  if (next === before.watched) return later(next);
  const atMs = later(next);
  const watched = { ...next, indexed: timers ? next.indexed : atMs !== undefined };
  const outbox = [...before.outbox, ...records];
  const saved = await devices.save(thing, before, watched, outbox, timeLeft);
  if (saved.outcome !== 'saved') return nowMs + EXCUSED_MS;
  if (saved.kept.outbox.length > 0) await emptyOutbox(thing, saved.kept, arn, deps, timeLeft);
  return atMs;
}
