import type { CodecTable } from '../../shared/adapters/lorawan/codec-table.ts';
import type { PayloadKeys, Purpose } from '../../shared/adapters/lorawan/payload-keys.ts';
import type { Change, SessionTable } from '../../shared/adapters/lorawan/session-table.ts';
import type { Outgoing, ReadingsStream } from '../../shared/adapters/readings/readings-stream.ts';
import type { CodecRuntime } from '../../shared/codec-runtime/codec-runtime.ts';
import { payloadOf } from '../../shared/core/envelope.ts';
import { RejectedError, reject } from '../../shared/core/errors.ts';
import { type Observation, observe, type Sessions } from '../../shared/core/lorawan/sessions.ts';
import {
  parseLorawanEnvelope,
  parseUplink,
  type Uplink,
} from '../../shared/core/lorawan/uplink.ts';
import type { Reading } from '../../shared/core/reading.ts';
import {
  Batch,
  type BatchDeps,
  type BatchResponse,
  type Held,
  type Invocation,
} from '../../shared/lambda/batch.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';
import { Breaker } from './breaker.ts';
import { decodeFrame, type Message } from './decode-frame.ts';
import { Journal } from './journal.ts';
import { purposeOf } from './open-payload.ts';
import { encodeReading } from './readings.ts';
import { codecRegistry, deviceOf, type Prepared } from './registry.ts';
import { Shelf } from './shelf.ts';
import { radioFault, radioOf, type See, type Sighting, sightingOf, tell } from './tell.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface DecodeDeps extends BatchDeps {
  readonly codecs: CodecTable;
  readonly sessions: SessionTable;
  readonly keys: PayloadKeys;
  readonly readings: ReadingsStream;
  /** Where it says how much it saw of each thing. */
  readonly signals: ReadingsStream;
  readonly runtime: CodecRuntime;
}

type Messages = readonly Held<Message>[];

/** Longer than any one message can take; below it, the rest of the batch is left for the next invocation. */
const LEAST_TIME_MS = 5_000;

/**
 * Stream of LoRaWAN uplinks → stream of canonical readings: each frame once, its payload opened where it is encrypted,
 * and decoded by the codec of its device. What cannot be taken goes to the dead letters with its reason.
 *
 * Readings are put before their frames are entered as taken: a crash between the two puts the same readings again,
 * under the same ids, where the other order would lose them.
 */
export const decode = (deps: DecodeDeps) => {
  const shelf = new Shelf(deps.runtime);
  const registry = codecRegistry(deps.codecs, shelf, deps.now);
  const tools = { runtime: deps.runtime, shelf, breaker: new Breaker(), now: deps.now };

  return async (event: unknown, invocation: Invocation): Promise<BatchResponse> => {
    const batch = new Batch('decode', event, invocation, deps);
    const opened = batch.each(batch.records, open);
    if (opened.length === 0) return batch.finish();
    const prepared = await registry.prepare(uplinksOf(opened), batch.timeLeft);
    const planned = withoutDevices(batch, opened, prepared.failures);
    const { known, failures } = await deps.sessions.load(devicesOf(planned), batch.timeLeft);
    const tracked = withoutDevices(batch, planned, reasonsOf(failures));
    const { messages, keyOf } = await loadKeys(batch, tracked, prepared, deps.keys);
    const journal = new Journal(known);
    const sightings: Held<Sighting>[] = [];
    const outgoing = batch.each(messages, (message, record) => {
      if (batch.timeLeft() < LEAST_TIME_MS) throw new Error('no time left in this invocation');
      const see = sightingOf(record, message, prepared.plan(message.uplink), sightings);
      return take(journal, record, message.uplink, see, (observation) =>
        decodeFrame(message, prepared, keyOf(message.uplink), observation, tools),
      );
    });
    const put = batch.without(
      outgoing,
      await deps.readings.put(valuesOf(outgoing), batch.timeLeft),
    );
    await keep(batch, journal, put, deps.sessions);
    await tell(batch, sightings, deps.signals);
    return batch.finish();
  };
};

function open({ data }: StreamRecord): readonly Message[] {
  const envelope = parseLorawanEnvelope(Buffer.from(data, 'base64').toString());
  return envelope === undefined ? [] : [{ envelope, uplink: parseUplink(payloadOf(envelope)) }];
}

/** Leaves frames out that were taken before, and enters the others as taken or as heard. */
function take(
  journal: Journal,
  record: StreamRecord,
  uplink: Uplink,
  see: See,
  decodeIt: (observation: Pick<Observation, 'taken' | 'lost'>) => ReturnType<typeof decodeFrame>,
): readonly Outgoing[] {
  const device = deviceOf(uplink);
  const observation = observeUplink(journal.sessionsOf(device), uplink);
  const isKnown = observation.verdict === 'seen' || observation.verdict === 'forgotten';
  if (isKnown && journal.wasEntered(device, record)) {
    see({});
    return [];
  }
  if (observation.verdict === 'seen') {
    see({ repeats: 1 });
    return [];
  }
  try {
    const out = journal.enter(device, record, observation.heard, () => {
      if (observation.verdict === 'forgotten') refuseReplay();
      const { readings, taken } = decodeIt(observation);
      return { out: readings.map(outgoingOf), taken };
    });
    see({ ...radioOf(observation), repeats: out.length === 0 ? 1 : 0 });
    return out;
  } catch (error) {
    if (error instanceof RejectedError)
      see({ ...radioOf(observation), ...radioFault(error) }, true);
    throw error;
  }
}

const refuseReplay = (): never =>
  reject(
    'REPLAYED_FRAME',
    'WirelessMetadata.LoRaWAN.FCnt',
    'is older than the window of its session remembers',
  );

const outgoingOf = (reading: Reading): Outgoing => ({
  key: reading.thing,
  data: encodeReading(reading),
});

/** Without a counter there is nothing to hold against; ids tell such frames apart, as far as they can be. */
function observeUplink(sessions: Sessions, uplink: Uplink): Observation {
  const { devAddr, fCnt, mic, heardAtMs } = uplink;
  if (fCnt === undefined) {
    const unchanged = { taken: sessions, heard: sessions };
    return { verdict: 'new', lost: undefined, began: undefined, ...unchanged };
  }
  return observe(sessions, { devAddr, fCnt, mic, heardAtMs });
}

async function loadKeys(
  batch: Batch,
  messages: Messages,
  prepared: Prepared,
  keys: PayloadKeys,
): Promise<{
  readonly messages: Messages;
  readonly keyOf: (uplink: Uplink) => Uint8Array | undefined;
}> {
  const wanted: Record<Purpose, string[]> = { envelope: [], frm: [] };
  for (const uplink of uplinksOf(messages)) {
    const plan = prepared.plan(uplink);
    const purpose = plan && purposeOf(uplink, plan.assignment);
    if (purpose !== undefined) wanted[purpose].push(deviceOf(uplink));
  }
  const envelopes = await keys.keysOf(wanted.envelope, 'envelope', batch.timeLeft);
  const frames = await keys.keysOf(wanted.frm, 'frm', batch.timeLeft);
  const failures = reasonsOf([...envelopes.failures, ...frames.failures]);
  return {
    messages: withoutDevices(batch, messages, failures),
    keyOf: (uplink) =>
      (prepared.plan(uplink)?.assignment.encryption === 'frm' ? frames : envelopes).keys.get(
        deviceOf(uplink),
      ),
  };
}

/** Enters as taken what is safely put; where that fails, the device's records are put again. */
async function keep(
  batch: Batch,
  journal: Journal,
  put: readonly Held<Outgoing>[],
  sessions: Pick<SessionTable, 'save'>,
): Promise<void> {
  const safe = new Set(put.map(({ record }) => record));
  const failures = await sessions.save(journal.changes(safe), batch.timeLeft);
  const reasons = reasonsOf(failures.map(({ item, reason }) => ({ item: deviceIn(item), reason })));
  const unkept = put.flatMap(({ record, value }) => {
    const reason = reasons.get(journal.deviceOf(record) ?? '');
    return reason === undefined ? [] : [{ item: value, reason }];
  });
  batch.without(put, unkept);
}

const deviceIn = ({ device }: Change): string => device;

/** Marks as failed what devices sent of which something could not be loaded. */
function withoutDevices(
  batch: Batch,
  messages: Messages,
  reasons: ReadonlyMap<string, string>,
): Messages {
  const failures = messages.flatMap(({ value }) => {
    const reason = reasons.get(deviceOf(value.uplink));
    return reason === undefined ? [] : [{ item: value, reason }];
  });
  return batch.without(messages, failures);
}

const reasonsOf = (
  failures: readonly { readonly item: string; readonly reason: string }[],
): ReadonlyMap<string, string> => new Map(failures.map(({ item, reason }) => [item, reason]));

const uplinksOf = (messages: Messages): Uplink[] => messages.map(({ value }) => value.uplink);

const devicesOf = (messages: Messages): string[] => [...new Set(uplinksOf(messages).map(deviceOf))];

const valuesOf = <Value>(held: readonly Held<Value>[]): Value[] => held.map(({ value }) => value);
