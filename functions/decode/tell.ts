import type { ReadingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import type { RejectedError } from '../../shared/core/errors.ts';
import type { Observation } from '../../shared/core/lorawan/sessions.ts';
import { countersOf, type RadioCounts, type Seen } from '../../shared/core/security/tally.ts';
import type { Batch, Held } from '../../shared/lambda/batch.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';
import type { Message } from './decode-frame.ts';
import type { Plan } from './registry.ts';

const NOTHING: RadioCounts = { joins: 0, gaps: 0, resets: 0, repeats: 0, micFailures: 0 };

export type Sighting = Seen & { readonly radio: RadioCounts };

/** @param radio  what there is to tell of a frame beside its size, and whether it was malformed */
export type See = (radio: Partial<RadioCounts>, malformed?: boolean) => void;

/** Notes what was seen of a frame; one whose device nobody knows is nobody's. */
export function sightingOf(
  record: StreamRecord,
  { envelope, uplink }: Message,
  plan: Plan | undefined,
  sightings: Held<Sighting>[],
): See {
  if (plan === undefined) return () => undefined;
  const seen = {
    thing: plan.thing,
    fleet: plan.assignment.fleet,
    sequenceNumber: record.sequenceNumber,
    receivedAtMs: envelope.receivedAtMs,
    bytes: uplink.payload.length,
  };
  // the network tells of joins under its own name for the device; under that they are counted once already
  const isTold = plan.thing === uplink.deviceId;
  return (told, malformed = false) => {
    const radio = { ...NOTHING, ...told, ...(isTold && { joins: 0 }) };
    sightings.push({ record, value: { ...seen, malformed, radio } });
  };
}

/** What the place of a frame among others says of the radio. */
export const radioOf = ({
  lost,
  began,
}: Pick<Observation, 'lost' | 'began'>): Pick<RadioCounts, 'joins' | 'gaps' | 'resets'> => ({
  joins: began === 'join' ? 1 : 0,
  gaps: lost ?? 0,
  resets: began === 'reset' ? 1 : 0,
});

/** What a rejection says of the radio: a payload that does not verify is as bad as a MIC that does not. */
export const radioFault = ({ code }: RejectedError): Partial<RadioCounts> => ({
  repeats: code === 'REPLAYED_FRAME' ? 1 : 0,
  micFailures: code === 'DECRYPTION_FAILED' ? 1 : 0,
});

/** Counts what will not come again, once a thing; it is the thing's records that fail when that cannot be told. */
export async function tell(
  batch: Batch,
  sightings: readonly Held<Sighting>[],
  signals: ReadingsStream,
): Promise<void> {
  const settled = batch.settled(sightings);
  const seen = settled.map(({ value }) => value);
  const told = countersOf('decode', seen).map((counters) => ({
    key: counters.thing,
    data: Buffer.from(JSON.stringify(counters)),
  }));
  const failures = await signals.put(told, batch.timeLeft);
  if (failures.length === 0) return;
  const reasons = new Map(failures.map(({ item, reason }) => [item.key, reason]));
  batch.without(
    settled,
    settled.flatMap(({ value }) => {
      const reason = reasons.get(value.thing);
      return reason === undefined ? [] : [{ item: value, reason: `signals: ${reason}` }];
    }),
  );
}
