import type { Fleets } from '../../shared/adapters/device-table.ts';
import type { Outgoing, ReadingsStream } from '../../shared/adapters/readings-stream.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import { type Envelope, parseEnvelope } from '../../shared/core/envelope.ts';
import { reject } from '../../shared/core/errors.ts';
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
}

interface Message {
  readonly envelope: Envelope;
  readonly topic: Topic;
}

/**
 * Stream of uplinks → stream of canonical readings. Records of LoRaWAN are `decode`'s; what cannot be taken goes to
 * the dead letters with its reason.
 */
export const ingest =
  (deps: IngestDeps) =>
  async (event: unknown, invocation: Invocation): Promise<BatchResponse> => {
    const batch = new Batch('ingest', event, invocation, deps);
    const opened = batch.each(batch.records, open);
    const { known, messages } = await lookUpFleets(batch, opened, deps);
    const outgoing = batch.each(messages, (message) => normaliseChecked(message, known));
    batch.without(outgoing, await deps.readings.put(valuesOf(outgoing), batch.timeLeft));
    return batch.finish();
  };

function open({ data }: StreamRecord): readonly Message[] {
  const envelope = parseEnvelope(Buffer.from(data, 'base64').toString());
  return envelope === undefined ? [] : [{ envelope, topic: parseTopic(envelope.topic) }];
}

async function lookUpFleets(
  batch: Batch,
  opened: readonly Held<Message>[],
  { fleets }: IngestDeps,
): Promise<{ readonly known: Fleets['known']; readonly messages: readonly Held<Message>[] }> {
  const things = new Set(opened.map(({ value }) => value.topic.thing));
  const { known, failures } = await fleets.fleetsOf([...things], batch.timeLeft);
  const reasons = new Map(failures.map(({ item, reason }) => [item, reason]));
  const unasked = opened.flatMap(({ value }) => {
    const reason = reasons.get(value.topic.thing);
    return reason === undefined ? [] : [{ item: value, reason }];
  });
  return { known, messages: batch.without(opened, unasked) };
}

/** A device unknown to the directory is new, and its topic, which its policy pins, is believed. */
function normaliseChecked(
  { envelope, topic }: Message,
  known: Fleets['known'],
): readonly Outgoing[] {
  if ((known.get(topic.thing) ?? topic.fleet) !== topic.fleet) {
    reject('FLEET_MISMATCH', 'topic', 'level 2 (fleet) is not the fleet of this thing');
  }
  return normalise(envelope, topic).map((reading) => ({
    key: reading.thing,
    data: encodeReading(reading),
  }));
}

const valuesOf = <Value>(held: readonly Held<Value>[]): Value[] => held.map(({ value }) => value);
