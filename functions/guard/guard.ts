import * as z from 'zod';
import type { Fleets } from '../../shared/adapters/readings/device-table.ts';
import type { Failure, TimeLeft } from '../../shared/adapters/retry.ts';
import type {
  ConnectionStatus,
  ConnectionTable,
} from '../../shared/adapters/security/connection-table.ts';
import type { GuardTable, Kept } from '../../shared/adapters/security/guard-table.ts';
import type { StatisticsTable } from '../../shared/adapters/security/statistics-table.ts';
import type { Topic } from '../../shared/adapters/topic.ts';
import { readReport } from '../../shared/core/security/device-report.ts';
import type { Finding } from '../../shared/core/security/finding.ts';
import type { Observation } from '../../shared/core/security/observation.ts';
import type { SecurityProfile } from '../../shared/core/security/profile.ts';
import { parseSignal, type Signal } from '../../shared/core/security/signal.ts';
import { takeSignal, thingOf } from '../../shared/core/security/take.ts';
import { type Outcome, watch } from '../../shared/core/security/watch.ts';
import {
  Batch,
  type BatchDeps,
  type BatchResponse,
  type Held,
  type Invocation,
} from '../../shared/lambda/batch.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';
import { expectedOf } from './expected.ts';
import { sweep } from './sweep.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface GuardDeps extends BatchDeps {
  readonly profiles: readonly SecurityProfile[];
  readonly fleets: {
    fleetsOf(things: readonly string[], timeLeft: TimeLeft): Promise<Fleets>;
  };
  readonly devices: GuardTable;
  readonly connections: ConnectionTable;
  readonly statistics: StatisticsTable;
  readonly findings: Topic;
  /** Name of the topic, which is where this function runs. */
  readonly findingsTopic: string;
}

interface About {
  readonly thing: string;
  readonly signal: Signal;
}

/** A device's part of a batch: what is kept of it, and its signals in order. */
interface Device {
  readonly thing: string;
  readonly fleet: string | undefined;
  readonly kept: Kept;
  readonly held: readonly Held<About>[];
}

interface Moved {
  readonly device: Device;
  readonly outcome: Outcome;
}

const WIDTH = 16;

/** The schedule's, every five minutes. */
const Tick = z.object({ tick: z.literal('sweep') });

/**
 * Stream of signals → findings in the shape of Device Defender Detect, and who is connected in the directory.
 *
 * A device's state, how far in the stream it reaches, and the findings that came of it are one conditional write;
 * findings are published before the batch is done with, under ids that a repetition shares. On schedule, alarms of
 * devices that have fallen silent end.
 */
export const guard =
  (deps: GuardDeps) =>
  async (
    event: unknown,
    invocation: Invocation & { readonly invokedFunctionArn: string },
  ): Promise<BatchResponse> => {
    const arn = topicArn(invocation, deps);
    if (Tick.safeParse(event).success) {
      await sweep(arn, deps, () => invocation.getRemainingTimeInMillis());
      return { batchItemFailures: [] };
    }
    const batch = new Batch('guard', event, invocation, deps);
    const read = batch.each(batch.records, (record) => readSignal(record, deps));
    const devices = await loadDevices(batch, read, deps);
    const moved = await Promise.all(devices.map((device) => judge(device, deps, batch.timeLeft)));
    const saved = await saveAll(batch, moved, deps);
    await saveConnections(batch, saved, deps);
    await publish(batch, saved, arn, deps);
    await addStatistics(saved, deps, batch.timeLeft);
    return batch.finish();
  };

function readSignal({ data }: StreamRecord, { log }: GuardDeps): readonly About[] {
  const signal = parseSignal(Buffer.from(data, 'base64').toString());
  const thing = thingOf(signal);
  // a report that cannot be read is rejected here, before it is part of a device's state
  if (signal.source === 'report') readReport(signal.data, signal.receivedAtMs);
  if (thing !== undefined) return [{ thing, signal }];
  if (signal.source === 'gateway') log('info', 'gateway', { status: signal.status });
  return [];
}

async function loadDevices(
  batch: Batch,
  read: readonly Held<About>[],
  { fleets, devices }: GuardDeps,
): Promise<readonly Device[]> {
  const things = [...new Set(read.map(({ value }) => value.thing))];
  if (things.length === 0) return [];
  const [asked, loaded] = await Promise.all([
    fleets.fleetsOf(things, batch.timeLeft),
    devices.load(things, batch.timeLeft),
  ]);
  const left = withoutThings(batch, read, [...asked.failures, ...loaded.failures]);
  const byThing = Map.groupBy(left, ({ value }) => value.thing);
  return [...byThing].flatMap(([thing, held]) => {
    const kept = loaded.kept.get(thing);
    return kept === undefined ? [] : [{ thing, fleet: asked.known.get(thing), kept, held }];
  });
}

async function judge(device: Device, deps: GuardDeps, timeLeft: TimeLeft): Promise<Moved> {
  const { thing, fleet, kept, held } = device;
  let { state } = kept;
  const observations: Observation[] = [];
  for (const { value, record } of held) {
    const taken = takeSignal(state, value.signal, record.sequenceNumber);
    state = taken.state;
    observations.push(...taken.observations);
  }
  const outcome = watch(state, observations, await expectedOf(thing, fleet, deps, timeLeft));
  return { device, outcome };
}

/** @returns those that were moved on; what was taken before is not written again */
async function saveAll(
  batch: Batch,
  moved: readonly Moved[],
  { devices, now }: GuardDeps,
): Promise<readonly Moved[]> {
  const saved: Moved[] = [];
  for (let at = 0; at < moved.length; at += WIDTH) {
    const run = moved.slice(at, at + WIDTH);
    const answers = await Promise.all(
      run.map(({ device: { thing, kept }, outcome: { state, findings } }) =>
        state.upTo === kept.state.upTo
          ? []
          : devices.save(
              thing,
              { state, unpublished: [...kept.unpublished, ...findings] },
              kept.state.upTo,
              now(),
              batch.timeLeft,
            ),
      ),
    );
    for (const [place, one] of run.entries()) {
      const failures = answers[place] ?? [];
      if (withoutThings(batch, one.device.held, failures).length > 0) saved.push(one);
    }
  }
  return saved;
}

async function saveConnections(
  batch: Batch,
  saved: readonly Moved[],
  { connections }: GuardDeps,
): Promise<void> {
  const statuses = saved.flatMap(({ device, outcome }) => {
    const { connection } = outcome.state;
    if (connection === undefined || !device.held.some(isLifecycle)) return [];
    const { connected, atMs: sinceMs } = connection;
    const reason = connected ? undefined : reasonOf(device.held);
    return [{ thing: device.thing, connected, sinceMs, reason } satisfies ConnectionStatus];
  });
  const failures = await connections.save(statuses, batch.timeLeft);
  fail(
    batch,
    saved,
    failures.map(({ item, reason }) => ({ item: item.thing, reason })),
  );
}

const isLifecycle = ({ value }: Held<About>): boolean => value.signal.source === 'presence';

const reasonOf = (held: readonly Held<About>[]): string | undefined =>
  held
    .map(({ value: { signal } }) =>
      signal.source === 'presence' ? signal.disconnectReason : undefined,
    )
    .findLast((reason) => reason !== undefined);

/** What is published is forgotten; if it cannot be, it is published again, and is the same finding. */
async function publish(
  batch: Batch,
  saved: readonly Moved[],
  arn: string,
  { findings, devices, now, log }: GuardDeps,
): Promise<void> {
  const due = saved.flatMap((moved) =>
    [...moved.device.kept.unpublished, ...moved.outcome.findings].map((finding: Finding) => ({
      thing: moved.device.thing,
      body: JSON.stringify(finding),
    })),
  );
  if (due.length === 0) return;
  const failures = await findings.publish(arn, due, batch.timeLeft);
  const lost = failures.map(({ item, reason }) => ({ item: item.thing, reason }));
  fail(batch, saved, lost);
  const unpublished = new Set(lost.map(({ item }) => item));
  const published = new Set(due.map(({ thing }) => thing));
  log('info', 'findings published', { findings: due.length - failures.length });
  for (const { device, outcome } of saved) {
    if (!published.has(device.thing) || unpublished.has(device.thing)) continue;
    const { state } = outcome;
    const kept = { state, unpublished: [] };
    await devices.save(device.thing, kept, state.upTo, now(), batch.timeLeft);
  }
}

async function addStatistics(
  saved: readonly Moved[],
  { statistics }: GuardDeps,
  timeLeft: TimeLeft,
): Promise<void> {
  const byFleet = Map.groupBy(
    saved.flatMap(({ device, outcome }) =>
      outcome.datapoints.map((datapoint) => ({ fleet: device.fleet ?? '', datapoint })),
    ),
    ({ fleet }) => fleet,
  );
  for (const [fleet, points] of byFleet) {
    await statistics.add(
      fleet,
      points.map(({ datapoint }) => datapoint),
      timeLeft,
    );
  }
}

const fail = (
  batch: Batch,
  saved: readonly Moved[],
  failures: readonly Failure<string>[],
): void => {
  withoutThings(
    batch,
    saved.flatMap(({ device }) => device.held),
    failures,
  );
};

function withoutThings(
  batch: Batch,
  held: readonly Held<About>[],
  failures: readonly Failure<string>[],
): readonly Held<About>[] {
  const reasons = new Map(failures.map(({ item, reason }) => [item, reason]));
  return batch.without(
    held,
    held.flatMap(({ value }) => {
      const reason = reasons.get(value.thing);
      return reason === undefined ? [] : [{ item: value, reason }];
    }),
  );
}

/** `arn:<partition>:lambda:<region>:<account>:function:<name>`: the topic is beside the function. */
function topicArn(
  { invokedFunctionArn }: { readonly invokedFunctionArn: string },
  { findingsTopic }: GuardDeps,
): string {
  const [, partition, , region, accountId] = invokedFunctionArn.split(':');
  return `arn:${partition}:sns:${region}:${accountId}:${findingsTopic}`;
}
