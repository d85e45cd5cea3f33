import type { KeptDevice, Saved } from '../../shared/adapters/detection/detection-table.ts';
import type { IngestionTable } from '../../shared/adapters/detection/ingestion-table.ts';
import type { LookTable } from '../../shared/adapters/detection/look-table.ts';
import type { Failure, TimeLeft } from '../../shared/adapters/retry.ts';
import { abandoned } from '../../shared/core/detection/anomaly-record.ts';
import { type LookAt, slotOf } from '../../shared/core/detection/looks.ts';
import type { DeviceSettings, FleetSettings } from '../../shared/core/detection/settings.ts';
import {
  type Arrival,
  nextLookMs,
  nextTimerMs,
  openIds,
  type Step,
  takeArrivals,
  type Watched,
} from '../../shared/core/detection/watched.ts';
import { reject } from '../../shared/core/errors.ts';
import { parseReading, READING_LIMIT_BYTES, type Reading } from '../../shared/core/reading.ts';
import {
  Batch,
  type BatchDeps,
  type BatchResponse,
  type Held,
  type Invocation,
} from '../../shared/lambda/batch.ts';
import { placeOf } from '../../shared/lambda/place.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';
import { marker } from './marker.ts';
import { emptyOutbox, type OutboxDeps } from './outbox.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface DetectDeps extends BatchDeps, OutboxDeps {
  readonly looks: LookTable;
  readonly ingestion: IngestionTable;
  readonly settings: { of(fleet: string, timeLeft: TimeLeft): Promise<FleetSettings> };
  /** Name of the topic, which is where this function runs. */
  readonly anomaliesTopic: string;
  readonly stage: string;
}

export type DetectInvocation = Invocation & { readonly invokedFunctionArn: string };

/** A device's part of a batch: what is kept of it, and its readings in the order of the stream. */
interface Device {
  readonly thing: string;
  readonly fleet: string;
  readonly kept: KeptDevice;
  readonly settings: DeviceSettings;
  readonly held: readonly Held<Reading>[];
}

const WIDTH = 16;
/** Anomalies of one write: an item of DynamoDB holds so many, packed, many times over. */
const RECORDS_MAX = 200;
const MOVES_MAX = 3;

/**
 * Stream of readings → state of each device, and anomalies.
 *
 * A device's state, how far in the stream it reaches, and the anomalies that came of it are one conditional write; they
 * are recorded and told before the batch is done with, under ids and versions that a repetition shares. A container
 * that dies in between has lost nothing: the batch comes again, or the sweep finds what is pending.
 */
export const detect = (deps: DetectDeps) => {
  const mark = marker(deps);
  return async (event: unknown, invocation: DetectInvocation): Promise<BatchResponse> => {
    const batch = new Batch('detect', event, invocation, deps);
    const read = batch.each(batch.records, readRecord);
    const devices = await loadDevices(batch, read, deps);
    const arn = topicArn(invocation, deps);
    for (let at = 0; at < devices.length; at += WIDTH) {
      await Promise.all(
        devices.slice(at, at + WIDTH).map((device) => watchInBatch(device, arn, batch, deps)),
      );
    }
    const response = await batch.finish();
    const allDone = response.batchItemFailures.length === 0;
    await mark(event, new Set(read.map(({ value }) => value.thing)), allDone, batch.timeLeft);
    return response;
  };
};

/** The topic is beside the function. */
export function topicArn(
  { invokedFunctionArn }: Pick<DetectInvocation, 'invokedFunctionArn'>,
  { anomaliesTopic }: Pick<DetectDeps, 'anomaliesTopic'>,
): string {
  const { partition, region, accountId } = placeOf(invokedFunctionArn);
  return `arn:${partition}:sns:${region}:${accountId}:${anomaliesTopic}`;
}

function readRecord({ data }: StreamRecord): readonly Reading[] {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length > READING_LIMIT_BYTES) {
    reject('READING_TOO_LARGE', '(root)', `has ${bytes.length} bytes, ${READING_LIMIT_BYTES} fit`);
  }
  return [parseReading(bytes.toString())];
}

const fail = (batch: Batch, held: readonly Held<Reading>[], reason: string): void => {
  batch.without(
    held,
    held.map(({ value }): Failure<Reading> => ({ item: value, reason })),
  );
};

async function loadDevices(
  batch: Batch,
  read: readonly Held<Reading>[],
  deps: DetectDeps,
): Promise<readonly Device[]> {
  const { devices, settings } = deps;
  const byThing = Map.groupBy(read, ({ value }) => value.thing);
  if (byThing.size === 0) return [];
  const { kept, failures } = await devices.load([...byThing.keys()], batch.timeLeft);
  for (const { item, reason } of failures) fail(batch, byThing.get(item) ?? [], reason);
  const lost = new Set(failures.map(({ item }) => item));
  const found: Device[] = [];
  for (const [thing, held] of byThing) {
    const [first] = held;
    const known = kept.get(thing);
    if (first === undefined || known === undefined || lost.has(thing)) continue;
    const { fleet } = first.value;
    try {
      const ofFleet = await settings.of(fleet, batch.timeLeft);
      const whole =
        known.lost.length === 0 ? known : await withAbandoned(thing, known, batch, deps);
      found.push({ thing, fleet, kept: whole, held, settings: ofFleet.of(thing) });
    } catch (error) {
      deps.log('error', 'settings could not be read', { fleet, error });
      fail(batch, held, error instanceof Error ? error.name : 'unknown');
    }
  }
  return found;
}

/** What goes wrong with one device is its own affair: the others go on. */
async function watchInBatch(
  device: Device,
  arn: string,
  batch: Batch,
  deps: DetectDeps,
): Promise<void> {
  const { thing, held } = device;
  try {
    const reason = await watchDevice(device, arn, deps, batch.timeLeft);
    if (reason !== undefined) fail(batch, held, reason);
  } catch (error) {
    deps.log('error', 'a device could not be watched', { thing, error });
    const name = error instanceof Error ? error.name : 'unknown';
    if (name !== 'ValidationException') return fail(batch, held, name);
    // nothing that comes again would fit better, and the shard is not to wait for it
    batch.each(held, () => reject('STATE_TOO_LARGE', thing, 'its state does not fit an item'));
  }
}

/** What was open in a part of the state that is lost will never close by itself: it is told as over. */
async function withAbandoned(
  thing: string,
  kept: KeptDevice,
  { timeLeft }: Batch,
  { anomalies, log, now }: DetectDeps,
): Promise<KeptDevice> {
  log('warn', 'state that cannot be read began anew', { thing, lost: kept.lost.slice(0, 10) });
  const recorded = await anomalies.list({ thing, state: 'open' }, timeLeft);
  const known = openIds(thing, kept.watched.device);
  const untold = new Set(kept.outbox.map(({ id }) => id));
  const orphans = recorded.filter(({ id }) => !known.has(id) && !untold.has(id));
  return {
    ...kept,
    outbox: [...kept.outbox, ...orphans.map((orphan) => abandoned(orphan, now()))],
  };
}

/** @returns why its readings have to come again; none when they are done with */
async function watchDevice(
  device: Device,
  arn: string,
  deps: DetectDeps,
  timeLeft: TimeLeft,
): Promise<string | undefined> {
  const { thing, held } = device;
  let { kept } = device;
  let moves = 0;
  let left: readonly Arrival[] = held.map(({ record, value }) => ({
    sequenceNumber: record.sequenceNumber,
    reading: value,
  }));
  do {
    const { step, rest } = takeSome(kept.watched, device, left);
    if (step.next.progress.upTo !== kept.watched.progress.upTo) {
      const saved = await moveOn(device, kept, step, deps, timeLeft);
      if (saved.outcome === 'failed') return saved.reason;
      if (saved.outcome === 'moved') {
        const again = (await deps.devices.load([thing], timeLeft)).kept.get(thing);
        moves += 1;
        if (again === undefined || moves > MOVES_MAX) return 'others keep moving it on';
        kept = again;
        continue;
      }
      kept = saved.kept;
    }
    left = rest;
    if (kept.outbox.length > 0) {
      const emptied = await emptyOutbox(thing, kept, arn, deps, timeLeft);
      if (emptied.outcome === 'failed') return emptied.reason;
      kept = emptied.kept;
    }
  } while (left.length > 0);
  return undefined;
}

/** As many readings as do not make more anomalies than one write should hold. */
function takeSome(
  watched: Watched,
  { thing, fleet, settings }: Device,
  arrivals: readonly Arrival[],
): { readonly step: Step; readonly rest: readonly Arrival[] } {
  for (let count = arrivals.length; ; count = Math.ceil(count / 2)) {
    const step = takeArrivals(watched, { thing, fleet }, arrivals.slice(0, count), settings);
    if (count <= 1 || step.records.length <= RECORDS_MAX) {
      return { step, rest: arrivals.slice(count) };
    }
  }
}

async function moveOn(
  { thing, fleet, settings }: Device,
  kept: KeptDevice,
  { next, records, unwatched }: Step,
  { devices, looks, log }: DetectDeps,
  timeLeft: TimeLeft,
): Promise<Saved> {
  const wanted = looksOf(kept.watched, next, { thing, fleet }, settings);
  // before the device says that it is in the index: one entry too many is harmless, one too few is a device unwatched
  const [failure] = await looks.enter(wanted, timeLeft);
  if (failure !== undefined) return { outcome: 'failed', reason: failure.reason };
  const watched = { ...next, indexed: next.indexed || wanted.some(({ timers }) => !timers) };
  const outbox = [...kept.outbox, ...records];
  const saved = await devices.save(thing, kept, watched, outbox, timeLeft);
  if (saved.outcome === 'saved' && unwatched.length > 0) {
    log('warn', 'more metrics than are watched', { thing, unwatched });
  }
  return saved;
}

/** What the index of deadlines has to learn: a device that is not in it, a timer that runs out at another time. */
function looksOf(
  before: Watched,
  next: Watched,
  identity: { readonly thing: string; readonly fleet: string },
  settings: DeviceSettings,
): readonly LookAt[] {
  const lookMs = next.indexed
    ? undefined
    : nextLookMs(next, settings.optionsOf(undefined).mutedUntilMs);
  const timerMs = nextTimerMs(next);
  const earlierMs = nextTimerMs(before);
  const isNewTimer =
    timerMs !== undefined && (earlierMs === undefined || slotOf(earlierMs) !== slotOf(timerMs));
  return [
    ...(lookMs === undefined ? [] : [{ ...identity, atMs: lookMs, timers: false }]),
    ...(isNewTimer ? [{ ...identity, atMs: timerMs, timers: true }] : []),
  ];
}
