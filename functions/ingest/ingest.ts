import type { Fleets } from '../../shared/adapters/readings/device-table.ts';
import type { Outgoing, ReadingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import { type Envelope, parseEnvelope } from '../../shared/core/envelope.ts';
import { RejectedError, reject } from '../../shared/core/errors.ts';
import { countersOf, type Seen } from '../../shared/core/security/tally.ts';
import { parseTopic, type Topic } from '../../shared/core/topic.ts';
import {
  Batch,
  type BatchDeps,
  type BatchResponse,
  type Held,
  type Invocation,
} from '../../shared/lambda/batch.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';
import { encodeReading, normalise } from './normalise.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface IngestDeps extends BatchDeps {
  readonly fleets: {
    fleetsOf(things: readonly string[], timeLeft: TimeLeft): Promise<Fleets>;
  };
  readonly readings: ReadingsStream;
  /** Where it says how much it saw of each thing. */
  readonly signals: ReadingsStream;
}

/** A message that was taken: whose it says it is, and its readings, ready to go out. */
interface Message {
  readonly topic: Topic;
  readonly readings: readonly Outgoing[];
}

/**
 * Stream of uplinks → stream of canonical readings. Records of LoRaWAN are `decode`'s; what cannot be taken goes to
 * the dead letters with its reason.
 */
export const ingest =
  (deps: IngestDeps) =>
  async (event: unknown, invocation: Invocation): Promise<BatchResponse> => {
    const batch = new Batch('ingest', event, invocation, deps);
    const seen: Held<Seen>[] = [];
    const messages = batch.each(batch.records, (record) => readMessage(record, seen));
    const outgoing = await checkFleets(batch, messages, deps);
    batch.without(outgoing, await deps.readings.put(valuesOf(outgoing), batch.timeLeft));
    await tell(batch, seen, deps);
    return batch.finish();
  };

/** From bytes to bytes in one go, so that what lies between lives for one record and not for the batch. */
function readMessage(record: StreamRecord, seen: Held<Seen>[]): readonly Message[] {
  const envelope = parseEnvelope(Buffer.from(record.data, 'base64').toString());
  if (envelope === undefined) return [];
  const topic = parseTopic(envelope.topic);
  const note = (malformed: boolean) =>
    seen.push({ record, value: seenOf(record, envelope, topic, malformed) });
  try {
    const readings = normalise(envelope, topic).map((reading) => ({
      key: reading.thing,
      data: encodeReading(reading),
    }));
    note(false);
    return [{ topic, readings }];
  } catch (error) {
    if (error instanceof RejectedError) note(true);
    throw error;
  }
}

const seenOf = (
  { sequenceNumber }: StreamRecord,
  { receivedAtMs, data }: Envelope,
  { thing, fleet }: Topic,
  malformed: boolean,
): Seen => {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0;
  const bytes = Math.max(0, Math.floor((data.length * 3) / 4) - padding);
  return { thing, fleet, sequenceNumber, receivedAtMs, bytes, malformed };
};

/** Counts what will not come again, once a thing; it is the thing's records that fail when that cannot be told. */
async function tell(
  batch: Batch,
  seen: readonly Held<Seen>[],
  { signals }: IngestDeps,
): Promise<void> {
  const settled = batch.settled(seen);
  const told = countersOf('ingest', valuesOf(settled)).map((counters) => ({
    key: counters.thing,
    data: Buffer.from(JSON.stringify(counters)),
  }));
  const reasons = new Map(
    (await signals.put(told, batch.timeLeft)).map(({ item, reason }) => [item.key, reason]),
  );
  if (reasons.size === 0) return;
  batch.without(
    settled,
    settled.flatMap(({ value }) => {
      const reason = reasons.get(value.thing);
      return reason === undefined ? [] : [{ item: value, reason: `signals: ${reason}` }];
    }),
  );
}

/** A device unknown to the directory is new, and its topic, which its policy pins, is believed. */
async function checkFleets(
  batch: Batch,
  messages: readonly Held<Message>[],
  { fleets }: IngestDeps,
): Promise<readonly Held<Outgoing>[]> {
  const things = new Set(messages.map(({ value }) => value.topic.thing));
  const { known, failures } = await fleets.fleetsOf([...things], batch.timeLeft);
  const reasons = new Map(failures.map(({ item, reason }) => [item, reason]));
  const unasked = messages.flatMap(({ value }) => {
    const reason = reasons.get(value.topic.thing);
    return reason === undefined ? [] : [{ item: value, reason }];
  });
  return batch.each(batch.without(messages, unasked), ({ topic, readings }) => {
    if ((known.get(topic.thing) ?? topic.fleet) === topic.fleet) return readings;
    return reject('FLEET_MISMATCH', 'topic', 'level 2 (fleet) is not the fleet of this thing');
  });
}

const valuesOf = <Value>(held: readonly Held<Value>[]): Value[] => held.map(({ value }) => value);
