import { describe, expect, it } from '@jest/globals';
import type { KinesisStreamEvent } from 'aws-lambda';
import { decode } from '../../functions/decode/decode.ts';
import type { CodecTable } from '../../shared/adapters/lorawan/codec-table.ts';
import {
  type Change,
  type HeldSessions,
  NO_SESSIONS,
} from '../../shared/adapters/lorawan/session-table.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import type { Assignment, Assignments, DeviceEntry } from '../../shared/core/lorawan/assignment.ts';
import type { CodecPointer, CodecVersion } from '../../shared/core/lorawan/codec-version.ts';
import { cryptFrmPayload } from '../../shared/core/lorawan/frm-payload.ts';
import { sealEnvelope } from '../../shared/core/lorawan/payload-envelope.ts';
import { Reading } from '../../shared/core/reading.ts';
import { parseSignal, type Signal } from '../../shared/core/security/signal.ts';
import { newRuntime } from '../shared/codec-runtime/world.ts';
import { DEV_EUI, DEVICE_ID, lorawanEnvelope, lorawanMessage } from '../support/lorawan-uplinks.ts';
import { streamRecord } from '../support/stream-events.ts';
import { RECEIVED_AT_MS } from '../support/uplinks.ts';

const CODEC = `
function decodeUplink(input) {
  if (input.bytes[0] === 0xee) throw new Error('sensor broken');
  if (input.bytes[0] === 0xef) return { errors: ['no such message'] };
  if (input.bytes[0] === 0xff) for (;;) {}
  return { data: { temperature: input.bytes[0], at: input.recvTime.getTime() }, warnings: input.bytes[1] ? ['low battery'] : [] };
}`;
const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const assignment = (changes: Partial<Assignment> = {}): Assignment => ({
  fleet: 'acme',
  codecs: [{ codec: 'thermo' }],
  encryption: 'none',
  ...changes,
});

const runtime = newRuntime();

interface World {
  readonly other?: Assignment | undefined;
  readonly entry?: DeviceEntry;
  readonly sources?: Readonly<Record<string, string>>;
  readonly pointer?: Partial<CodecPointer>;
  readonly keys?: ReadonlyMap<string, Uint8Array>;
}

/** A world of maps: what is put, what is refused, and what a device's sessions are. */
function setup(world: World = {}) {
  const { entry, sources = { 'thermo@1': CODEC }, pointer = {}, keys = new Map() } = world;
  const other = 'other' in world ? world.other : assignment();
  const readings: Reading[] = [];
  const letters: DeadLetter[] = [];
  const signals: Signal[] = [];
  const sessions = new Map<string, HeldSessions>();
  const failing = { puts: 0, saves: 0 };
  const calls = { versions: 0, sessions: 0 };
  const assignments: Assignments = { profiles: new Map(), joinEuis: new Map(), ranges: [], other };
  const version = (id: string): [string, CodecVersion][] => {
    const [name = '', number] = id.split('@');
    const source = sources[id];
    if (source === undefined) return [];
    const kind = source.startsWith('{') ? 'fields' : 'script';
    return [[id, { name, version: Number(number), kind, source, digest: '', createdAtMs: 0 }]];
  };
  const codecs: CodecTable = {
    assignments: async () => assignments,
    entries: async (ids) => ({
      found: new Map(entry === undefined ? [] : ids.map((id) => [id, entry])),
      failures: [],
    }),
    pointers: async (names) => ({
      found: new Map(
        names
          .filter((name) => Object.keys(sources).some((id) => id.startsWith(`${name}@`)))
          .map((name) => [
            name,
            { name, active: 1, latest: 1, history: [], updatedAtMs: 0, ...pointer },
          ]),
      ),
      failures: [],
    }),
    versions: async (ids) => {
      calls.versions += 1;
      return {
        found: new Map(ids.flatMap(({ name, version: number }) => version(`${name}@${number}`))),
        failures: [],
      };
    },
    payloadKeys: async () => ({ found: new Map(), failures: [] }),
  };
  const run = decode({
    codecs,
    sessions: {
      load: async (devices) => ({
        known: new Map(devices.map((device) => [device, sessions.get(device) ?? NO_SESSIONS])),
        failures: [],
      }),
      save: async (changes: readonly Change[]) => {
        if (failing.saves > 0) {
          failing.saves -= 1;
          return changes.map((item) => ({ item, reason: 'throttled' }));
        }
        for (const { device, ...kept } of changes) {
          calls.sessions += 1;
          sessions.set(device, { ...kept, revision: kept.revision + 1 });
        }
        return [];
      },
    },
    keys: { keysOf: async () => ({ keys, failures: [] }) },
    readings: {
      put: async (items) => {
        if (failing.puts > 0) {
          failing.puts -= 1;
          return items.map((item) => ({ item, reason: 'throttled' }));
        }
        readings.push(
          ...items.map(({ data }) => Reading.parse(JSON.parse(Buffer.from(data).toString()))),
        );
        return [];
      },
    },
    signals: {
      put: async (items) => {
        signals.push(...items.map(({ data }) => parseSignal(Buffer.from(data).toString())));
        return [];
      },
    },
    deadLetters: {
      send: async (sent) => {
        letters.push(...sent);
        return [];
      },
    },
    runtime,
    log: () => undefined,
    now: () => RECEIVED_AT_MS,
  });
  let onStream = 0;
  const invoke = (records: KinesisStreamEvent['Records']) =>
    run({ Records: records }, { getRemainingTimeInMillis: () => 60_000 });
  const recordsOf = (messages: readonly object[]) =>
    messages.map((message) => {
      onStream += 1;
      return streamRecord('tributary-dev-uplinks', String(onStream), {
        partitionKey: 'WirelessDeviceId' in message ? String(message.WirelessDeviceId) : 'none',
        data:
          'source' in message
            ? message
            : lorawanEnvelope(message, { messageId: `m-${onStream - 1}` }),
      });
    });
  const send = (...messages: readonly object[]) => invoke(recordsOf(messages));
  const sendTwice = async (...messages: readonly object[]) => {
    const records = recordsOf(messages);
    await invoke(records);
    return invoke(records);
  };
  return { send, sendTwice, readings, letters, signals, sessions, failing, calls };
}

const uplink = (fCnt: number, payload: readonly number[] | Uint8Array = [21], radio: object = {}) =>
  lorawanMessage({ payload, radio: { FCnt: fCnt, MIC: `00000${fCnt}`, ...radio } });

const NONE = { batchItemFailures: [] };

describe('an uplink', () => {
  it('becomes a canonical reading, decoded at its time of receipt, its raw payload kept', async () => {
    const { send, readings } = setup();
    expect(await send(uplink(5, [21, 1]))).toEqual(NONE);
    const heardAtMs = RECEIVED_AT_MS - 200;
    expect(readings).toEqual([
      {
        v: 1,
        id: expect.any(String),
        thing: DEVICE_ID,
        fleet: 'acme',
        kind: 'telemetry',
        transport: 'lorawan',
        observedAtMs: heardAtMs,
        receivedAtMs: RECEIVED_AT_MS,
        metrics: { temperature: 21, at: heardAtMs },
        link: expect.objectContaining({ gateways: 2, rssiDbm: -71, snrDb: 9.75 }),
        raw: {
          messageId: 'm-0',
          index: 0,
          data: 'FQE=',
          fPort: 2,
          fCnt: 5,
          devEui: DEV_EUI,
          codec: 'thermo@1',
          warnings: ['low battery'],
        },
        traceId: expect.any(String),
      },
    ]);
  });

  it('has the same id in each delivery, and is taken once', async () => {
    const [first, second] = [setup(), setup()];
    await first.send(uplink(5), uplink(5), uplink(5));
    await second.send(
      lorawanEnvelope(uplink(5), { receivedAtMs: RECEIVED_AT_MS + 900, messageId: 'again' }),
    );
    expect(first.readings).toHaveLength(1);
    expect(second.readings[0]).toMatchObject({
      id: first.readings[0]?.id,
      observedAtMs: first.readings[0]?.observedAtMs,
    });
  });

  it('counts what was lost before it', async () => {
    const { send, readings } = setup();
    await send(uplink(5));
    await send(uplink(9), uplink(10));
    expect(readings.map(({ link }) => link?.lostUplinks)).toEqual([undefined, 3, 0]);
  });

  it.each([
    { without: 'an application’s FPort', payload: [1], radio: { FPort: 0 } },
    { without: 'an FPort, which AWS tells as 225', payload: [1], radio: { FPort: 225 } },
    { without: 'a payload', payload: [], radio: {} },
  ])(
    'without $without is not decoded, and still tells that the device is there',
    async ({ payload, radio }) => {
      const { send, readings, letters } = setup();
      await send(uplink(5, payload, radio));
      expect(letters).toEqual([]);
      expect(readings).toMatchObject([{ metrics: {}, link: { gateways: 2 } }]);
      expect(readings[0]?.raw).not.toHaveProperty('codec');
    },
  );

  it('of a protocol of others is left to the others', async () => {
    const { send, readings, letters } = setup();
    await send({ v: 1, source: 'telemetry' });
    expect([readings, letters]).toEqual([[], []]);
  });
});

describe('what decodes', () => {
  it('is chosen by FPort, formats among the choices; what none takes is kept undecoded', async () => {
    const codecs = [
      { codec: 'cayenne-lpp', fPorts: [10] },
      { codec: 'thermo', fPorts: [2] },
      { codec: 'meter', fPorts: [3] },
    ];
    const meter = '{"messages":[{"fields":[{"name":"count","at":0,"type":"uint8"}]}]}';
    const { send, readings } = setup({
      other: assignment({ codecs }),
      sources: { 'thermo@1': CODEC, 'meter@1': meter },
    });
    await send(
      uplink(1, [3, 0x67, 1, 16], { FPort: 10 }),
      uplink(2, [21]),
      uplink(3, [7], { FPort: 3 }),
      uplink(4, [1], { FPort: 99 }),
    );
    expect(readings.map(({ metrics, raw }) => [raw.codec, metrics])).toEqual([
      ['cayenne-lpp', { 'temperature.3': 27.2 }],
      ['thermo@1', { temperature: 21, at: RECEIVED_AT_MS - 200 }],
      ['meter@1', { count: 7 }],
      [undefined, {}],
    ]);
  });

  it('is the version pinned, or that of the canary for its share of devices', async () => {
    const source = (name: string) =>
      `function decodeUplink() { return { data: { by: '${name}' } }; }`;
    const sources = { 'thermo@1': source('one'), 'thermo@2': source('two') };
    const devices = Array.from({ length: 60 }, (_, at) => at.toString(16).padStart(16, '0'));
    const shareOf = async (world: World): Promise<number> => {
      const { send, readings } = setup({ sources, ...world });
      await send(...devices.map((DevEui) => uplink(1, [1], { DevEui })));
      return readings.filter(({ metrics }) => metrics['by'] === 'two').length;
    };
    expect(await shareOf({})).toBe(0);
    expect(
      await shareOf({ other: assignment({ codecs: [{ codec: 'thermo', version: 2 }] }) }),
    ).toBe(60);
    const share = await shareOf({ pointer: { canary: { version: 2, percent: 25 } } });
    expect(share).toBeGreaterThan(5);
    expect(share).toBeLessThan(30);
    expect(await shareOf({ pointer: { canary: { version: 2, percent: 25 } } })).toBe(share);
  });

  it('is fetched once for all messages', async () => {
    const { send, calls } = setup();
    await send(uplink(1), uplink(2));
    await send(uplink(3));
    expect(calls.versions).toBe(1);
  });

  it('and the thing’s name can be the device’s own', async () => {
    const { send, readings } = setup({
      entry: { thing: 'cellar-1', assignment: assignment({ fleet: 'wine' }) },
    });
    await send(uplink(1));
    expect(readings).toMatchObject([{ thing: 'cellar-1', fleet: 'wine' }]);
  });
});

describe('a dead letter', () => {
  const data = (message: object) =>
    Buffer.from(JSON.stringify(lorawanEnvelope(message, { messageId: 'm-0' }))).toString('base64');

  it.each([
    {
      why: 'a codec that throws',
      world: {},
      payload: [0xee],
      code: 'CODEC_FAILED',
      issue: 'thermo@1: CODEC_THREW: Error: sensor broken',
    },
    {
      why: 'a codec that reports errors',
      world: {},
      payload: [0xef],
      code: 'CODEC_FAILED',
      issue: 'thermo@1: CODEC_REPORTED_ERRORS: no such message',
    },
    {
      why: 'a codec that loops',
      world: {},
      payload: [0xff],
      code: 'CODEC_FAILED',
      issue: expect.stringMatching(/^thermo@1: CODEC_OUT_OF_(STEPS|TIME): /),
    },
    {
      why: 'a device that nobody knows',
      world: { other: undefined },
      payload: [1],
      code: 'DEVICE_UNASSIGNED',
      issue: `${DEV_EUI}: no fleet and codec are assigned to this device`,
    },
    {
      why: 'a codec that is not there',
      world: { sources: {} },
      payload: [1],
      code: 'CODEC_UNAVAILABLE',
      issue: 'thermo: is assigned to this device, but is not there',
    },
    {
      why: 'a codec that does not load',
      world: { sources: { 'thermo@1': 'function (' } },
      payload: [1],
      code: 'CODEC_FAILED',
      issue: expect.stringMatching(/^thermo@1: CODEC_UNLOADABLE: SyntaxError/),
    },
    {
      why: 'a codec without data',
      world: { sources: { 'thermo@1': 'function decodeUplink() { return 5; }' } },
      payload: [1],
      code: 'CODEC_FAILED',
      issue: expect.stringMatching(/^thermo@1: CODEC_ANSWER_INVALID: wants \{data/),
    },
    {
      why: 'encryption without a key',
      world: { other: assignment({ encryption: 'envelope' }) },
      payload: [1],
      code: 'ENCRYPTION_REFUSED',
      issue: 'PayloadData: there is no payload key that is this device’s',
    },
    {
      why: 'a frame of OTAA on AWS that shall be decrypted',
      world: { other: assignment({ encryption: 'frm' }) },
      payload: [1],
      code: 'ENCRYPTION_REFUSED',
      issue: expect.stringMatching(/OTAA devices itself and gives their AppSKey to nobody$/),
    },
    {
      why: 'an envelope that does not verify',
      world: { other: assignment({ encryption: 'envelope' }), keys: new Map([[DEV_EUI, KEY]]) },
      payload: [0x18, ...Buffer.alloc(20)],
      code: 'DECRYPTION_FAILED',
      issue: expect.stringMatching(/^PayloadData: does not verify/),
    },
  ] satisfies { why: string; world: World; payload: number[]; code: string; issue: unknown }[])(
    'is left by $why, with the payload and the reason',
    async ({ world, payload, code, issue }) => {
      const { send, readings, letters } = setup(world);
      expect(await send(uplink(1, payload))).toEqual(NONE);
      expect(readings).toEqual([]);
      expect(letters).toMatchObject([
        { function: 'decode', code, issues: [issue], data: data(uplink(1, payload)) },
      ]);
    },
  );

  it('leaves the messages behind it unharmed, and can come again', async () => {
    const { send, readings, letters } = setup();
    await send(uplink(1, [0xee]), uplink(2, [21]));
    expect(readings.map(({ raw }) => raw.fCnt)).toEqual([2]);
    expect(readings[0]?.link?.lostUplinks).toBe(0);
    expect(letters).toHaveLength(1);
    await send(uplink(1, [22]));
    expect(readings.map(({ raw }) => raw.fCnt)).toEqual([2, 1]);
  });

  it('comes at once once a device has spent several budgets, and the codec still serves others', async () => {
    const { send, letters, readings } = setup();
    const bad = (fCnt: number) => uplink(fCnt, [0xff], { DevEui: 'ffffffffffffffff' });
    await send(bad(1), uplink(1), bad(2), uplink(2), bad(3), uplink(3), bad(4), uplink(4));
    expect(letters.map(({ code }) => code)).toEqual([
      'CODEC_FAILED',
      'CODEC_FAILED',
      'CODEC_FAILED',
      'CODEC_SUSPENDED',
    ]);
    expect(readings).toHaveLength(4);
  });
});

describe('a frame', () => {
  it('of ten thousand sent again makes no new reading', async () => {
    const { send, readings } = setup();
    const batches = Array.from({ length: 100 }, (_, batch) =>
      Array.from({ length: 100 }, (_, at) => uplink(batch * 100 + at)),
    );
    for (const batch of batches) await send(...batch);
    for (const batch of batches) await send(...batch);
    expect(readings).toHaveLength(10_000);
    expect(new Set(readings.map(({ id }) => id)).size).toBe(10_000);
  });

  it('after a rejoin under the same address is taken, and none of the session before once more', async () => {
    const { send, readings, signals } = setup();
    const session = (keys: string, fromMs: number, counters: readonly number[]) =>
      counters.map((fCnt) =>
        uplink(fCnt, [fCnt], {
          MIC: `${keys}00000${fCnt}`,
          Timestamp: new Date(fromMs + 1_000 * fCnt).toISOString(),
        }),
      );
    const before = session('a', RECEIVED_AT_MS - 300_000, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await send(...before);
    const after = session('b', RECEIVED_AT_MS - 200_000, [9, 10, 11]);
    await send(...after);
    const again = session('c', RECEIVED_AT_MS - 100_000, [0, 1, 2]);
    await send(...again);
    await send(...before, ...after, ...again);
    expect(readings.map(({ raw }) => raw.fCnt)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      ...[9, 10, 11],
      ...[0, 1, 2],
    ]);
    expect(signals).toMatchObject([
      { radio: { resets: 0, repeats: 0 } },
      { radio: { resets: 1, repeats: 0 } },
      { radio: { resets: 1, repeats: 0 } },
      { radio: { resets: 0, repeats: 16 } },
    ]);
  });

  it('that the stream hands out again is no frame that is repeated', async () => {
    const { send, sendTwice, readings, letters, signals } = setup();
    await send(uplink(9, [21], { MIC: 'a0000009' }));
    expect(await sendTwice(uplink(10), uplink(10), uplink(11))).toEqual(NONE);
    expect(readings.map(({ raw }) => raw.fCnt)).toEqual([9, 10, 11]);
    expect(letters).toEqual([]);
    expect(signals.map((one) => one.source === 'counters' && one.radio?.repeats)).toEqual([
      0, 1, 0,
    ]);
  });

  it('whose reading could not be put is not entered as taken', async () => {
    const { send, readings, failing, sessions } = setup();
    failing.puts = 1;
    expect(await send(uplink(1))).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
    expect(sessions.size).toBe(0);
    expect(await send(uplink(1))).toEqual(NONE);
    expect(readings).toHaveLength(1);
  });

  it('that could not be entered as taken is put again under the same id', async () => {
    const { send, readings, failing } = setup();
    failing.saves = 1;
    expect(await send(uplink(1))).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
    await send(uplink(1));
    expect(readings.map(({ id }) => id)).toEqual([readings[0]?.id, readings[0]?.id]);
  });

  it('costs one write of sessions a device and batch', async () => {
    const { send, calls } = setup();
    await send(...Array.from({ length: 20 }, (_, at) => uplink(at)));
    expect(calls.sessions).toBe(1);
  });
});

describe('the counters of a batch', () => {
  it('tell of each thing what was seen, lost, repeated and refused', async () => {
    const { send, signals } = setup({ other: assignment({ encryption: 'none' }) });
    await send(uplink(1), uplink(5), uplink(5), uplink(6, [0xee]));
    expect(signals).toMatchObject([
      {
        source: 'counters',
        function: 'decode',
        thing: DEVICE_ID,
        fleet: 'acme',
        messages: 4,
        malformed: 1,
        radio: { gaps: 3, resets: 0, repeats: 1, micFailures: 0 },
      },
    ]);
  });
});

describe('joins', () => {
  const firstUnder = (DevAddr: string) => uplink(0, [21], { DevAddr });
  const joinsOf = (signals: readonly Signal[]) =>
    signals.map((signal) => (signal.source === 'counters' ? signal.radio?.joins : undefined));

  it('are counted for a thing with a name of its own, of which the network does not tell', async () => {
    const { send, signals } = setup({ entry: { thing: 'cellar-1' } });
    await send(
      firstUnder('00000001'),
      uplink(1, [21], { DevAddr: '00000001' }),
      firstUnder('00000002'),
    );
    await send(uplink(1, [21], { DevAddr: '00000002' }));
    expect(joinsOf(signals)).toEqual([2, 0]);
  });

  it('are not counted twice for one that goes by the name that the network gave it', async () => {
    const { send, signals } = setup();
    await send(firstUnder('00000001'), firstUnder('00000002'));
    expect(joinsOf(signals)).toEqual([0]);
  });
});

describe('an envelope inside the payload', () => {
  const keys = new Map([[DEV_EUI, KEY]]);
  const world = { other: assignment({ encryption: 'envelope' }), keys } as const;
  const sealed = (counter: number) =>
    sealEnvelope(
      KEY,
      { devEui: DEV_EUI, fPort: 2, direction: 'up' },
      { payload: Buffer.from([21]), counter },
    );

  it('is opened, and the codec gets what it held', async () => {
    const { send, readings } = setup(world);
    await send(uplink(1, sealed(7)));
    expect(readings).toMatchObject([{ metrics: { temperature: 21 }, raw: { data: 'FQ==' } }]);
  });

  it('is read once, also when the network sends it in another frame or session', async () => {
    const { send, readings } = setup(world);
    await send(
      uplink(1, sealed(7)),
      uplink(2, sealed(7)),
      uplink(1, sealed(7), { DevAddr: '0177aa11' }),
    );
    await send(uplink(3, sealed(6)), uplink(2, sealed(8), { DevAddr: '0177aa11' }));
    expect(readings).toHaveLength(3);
  });
});

describe('a payload as it was on the air', () => {
  const world = { other: assignment({ encryption: 'frm' }) } as const;
  const onAir = (fCnt: number) =>
    cryptFrmPayload(KEY, { devAddr: '01b8f3c7', fCnt, direction: 'up' }, Buffer.from([21]));

  it('is opened with the AppSKey that another network server hands over', async () => {
    const { send, readings } = setup(world);
    await send(uplink(70_000, onAir(70_000), { AppSKey: KEY.toString('hex') }));
    expect(readings).toMatchObject([{ metrics: { temperature: 21 }, raw: { data: 'FQ==' } }]);
    expect(JSON.stringify(readings)).not.toContain(KEY.toString('hex'));
  });

  it('is opened with the key that was put for an ABP device', async () => {
    const { send, readings } = setup({ ...world, keys: new Map([[DEV_EUI, KEY]]) });
    await send(uplink(5, onAir(5)));
    expect(readings).toMatchObject([{ metrics: { temperature: 21 } }]);
  });
});
