import type { AnomalyTable } from '../../shared/adapters/detection/anomaly-table.ts';
import type {
  DetectionTable,
  KeptDevice,
} from '../../shared/adapters/detection/detection-table.ts';
import type { MqttTopics } from '../../shared/adapters/detection/mqtt-topics.ts';
import type { Failure, TimeLeft } from '../../shared/adapters/retry.ts';
import type { Topic } from '../../shared/adapters/topic.ts';
import type { AnomalyRecord } from '../../shared/core/detection/anomaly-record.ts';
import { anomalyNotice } from '../../shared/core/detection/notice.ts';
import type { Log } from '../../shared/lambda/log.ts';

/** Whom anomalies are told to. */
export interface OutboxDeps {
  readonly devices: DetectionTable;
  readonly anomalies: AnomalyTable;
  readonly notices: Topic;
  readonly live: MqttTopics;
  /** How long an anomaly that is over is kept. */
  readonly historyMs: number;
  readonly log: Log;
  readonly now: () => number;
}

/** Published, with what is kept of the device since; or why not. */
export type Emptied =
  | { readonly outcome: 'published'; readonly kept: KeptDevice }
  | { readonly outcome: 'failed'; readonly reason: string };

/**
 * Records what a device's outbox holds, tells it, and forgets it. What was recorded before is not recorded twice, what
 * was told before may be told again, under the id and version it had.
 *
 * @param arn  of the topic
 */
export async function emptyOutbox(
  thing: string,
  kept: KeptDevice,
  arn: string,
  deps: OutboxDeps,
  timeLeft: TimeLeft,
): Promise<Emptied> {
  const reason = await tellAll(kept.outbox, arn, deps, timeLeft);
  if (reason !== undefined) return { outcome: 'failed', reason };
  for (const { id, version, kind, state } of kept.outbox) {
    deps.log('info', 'anomaly told', { id, version, kind, state });
  }
  const saved = await deps.devices.save(thing, kept, kept.watched, [], timeLeft);
  if (saved.outcome === 'saved') return { outcome: 'published', kept: saved.kept };
  // who moved it on holds the outbox and tells it again, or has told it already
  const { kept: read } = await deps.devices.load([thing], timeLeft);
  return { outcome: 'published', kept: read.get(thing) ?? kept };
}

/** @returns why not all of it is told; none when it is */
async function tellAll(
  records: readonly AnomalyRecord[],
  arn: string,
  { anomalies, notices, live, historyMs, log, now }: OutboxDeps,
  timeLeft: TimeLeft,
): Promise<string | undefined> {
  try {
    for (const record of records) {
      const expiresAtMs = record.state === 'open' ? undefined : now() + historyMs;
      await anomalies.record(record, expiresAtMs, timeLeft);
    }
    const messages = records.map((record) => ({
      topic: `an/${record.fleet}/${record.thing}`,
      body: JSON.stringify(record),
    }));
    const failures: readonly Failure<unknown>[] = [
      ...(await live.publish(messages, timeLeft)),
      ...(await notices.publish(arn, records.map(anomalyNotice), timeLeft)),
    ];
    return failures[0]?.reason;
  } catch (error) {
    log('error', 'anomalies could not be told', { error });
    return error instanceof Error ? error.name : 'unknown';
  }
}
