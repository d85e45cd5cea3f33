import type { Device, DeviceTable } from '../../shared/adapters/readings/device-table.ts';
import type { ReadingTable } from '../../shared/adapters/readings/reading-table.ts';
import { reject } from '../../shared/core/errors.ts';
import { parseReading, READING_LIMIT_BYTES, type Reading } from '../../shared/core/reading.ts';
import { TtlCache } from '../../shared/core/ttl-cache.ts';
import {
  Batch,
  type BatchDeps,
  type BatchResponse,
  type Held,
  type Invocation,
} from '../../shared/lambda/batch.ts';
import type { StreamRecord } from '../../shared/lambda/stream-event.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface RecordDeps extends BatchDeps {
  readonly history: ReadingTable;
  readonly devices: DeviceTable;
}

const KNOWN_LIMIT = 50_000;
const KNOWN_FOR_MS = 60 * 60_000;

type Readings = readonly Held<Reading>[];

/**
 * Stream of readings → history, directory of devices, latest reading of each device and kind. Each of these writes
 * is harmless when repeated, so a batch may be replayed from anywhere.
 */
export const record = (deps: RecordDeps) => {
  const registered = new TtlCache<string, true>(KNOWN_LIMIT, KNOWN_FOR_MS);

  return async (event: unknown, invocation: Invocation): Promise<BatchResponse> => {
    const batch = new Batch('record', event, invocation, deps);
    const parsed = batch.each(batch.records, readRecord);
    const settled = await settleTimes(batch, parsed, deps);
    const kept = await write(batch, settled, (readings) =>
      deps.history.write(readings, batch.timeLeft),
    );
    const entered = await enterDevices(batch, kept, deps, registered);
    await write(batch, entered, (readings) => deps.devices.saveLatest(readings, batch.timeLeft));
    return batch.finish();
  };
};

function readRecord({ data }: StreamRecord): readonly Reading[] {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length > READING_LIMIT_BYTES) {
    reject('READING_TOO_LARGE', '(root)', `has ${bytes.length} bytes, ${READING_LIMIT_BYTES} fit`);
  }
  return [parseReading(bytes.toString())];
}

async function settleTimes(
  batch: Batch,
  readings: Readings,
  { history }: RecordDeps,
): Promise<Readings> {
  const { settled, failures } = await history.settleTimes(valuesOf(readings), batch.timeLeft);
  return batch
    .without(readings, failures)
    .map(({ record, value }) => ({ record, value: settled.get(value) ?? value }));
}

async function write(
  batch: Batch,
  readings: Readings,
  put: (readings: readonly Reading[]) => ReturnType<ReadingTable['write']>,
): Promise<Readings> {
  return batch.without(readings, await put(valuesOf(readings)));
}

/** Enters the devices that the directory does not hold; this container asks for each once an hour. */
async function enterDevices(
  batch: Batch,
  readings: Readings,
  { devices, now }: RecordDeps,
  registered: TtlCache<string, true>,
): Promise<Readings> {
  const nowMs = now();
  const unsure = devicesOf(readings).filter(({ thing }) => !registered.get(thing, nowMs));
  if (unsure.length === 0) return readings;
  const asked = await devices.fleetsOf(unsure.map(thingOf), batch.timeLeft);
  const lost = new Map(asked.failures.map(({ item, reason }) => [item, reason]));
  const missing = unsure.filter(({ thing }) => !asked.known.has(thing) && !lost.has(thing));
  for (const { item, reason } of await devices.register(missing, batch.timeLeft)) {
    lost.set(item.thing, reason);
  }
  for (const { thing } of unsure) if (!lost.has(thing)) registered.set(thing, true, nowMs);
  const failures = readings.flatMap(({ value }) => {
    const reason = lost.get(value.thing);
    return reason === undefined ? [] : [{ item: value, reason }];
  });
  return batch.without(readings, failures);
}

function devicesOf(readings: Readings): readonly Device[] {
  const devices = new Map<string, Device>();
  for (const { value } of readings) {
    const { thing, fleet, receivedAtMs } = value;
    if (!devices.has(thing)) devices.set(thing, { thing, fleet, firstSeenAtMs: receivedAtMs });
  }
  return [...devices.values()];
}

const thingOf = ({ thing }: Device): string => thing;

const valuesOf = (readings: Readings): Reading[] => readings.map(({ value }) => value);
