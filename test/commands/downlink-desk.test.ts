import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tryCodec } from '../../commands/codec-vectors.ts';
import { FailedError } from '../../commands/command.ts';
import { encodeCommand } from '../../commands/downlink-codec.ts';
import { openDownlinkDesk } from '../../commands/downlink-desk.ts';
import { assignDevice } from '../../commands/lorawan-assign.ts';
import { openEnvelope } from '../../shared/core/lorawan/payload-envelope.ts';
import { newRuntime } from '../shared/codec-runtime/world.ts';
import { type CodecWorld, openCodecWorld } from '../support/codec-world.ts';
import { DEV_EUI } from '../support/lorawan-uplinks.ts';

const runtime = newRuntime();
const PLAIN = { fPort: undefined, nowMs: 1_767_225_600_000 };

const encode = (
  source: string,
  data: object,
  options: Parameters<typeof encodeCommand>[3] = PLAIN,
) => encodeCommand('meter@1', tryCodec(runtime, source), data, options);

/** Of a codec whose functions have these bodies. */
const codec = (encodes: string, decodes?: string): string =>
  `function encodeDownlink(input) { ${encodes} }
   ${decodes === undefined ? '' : `function decodeDownlink(input) { ${decodes} }`}`;

const INTERVAL = codec(
  'return { fPort: 85, bytes: [0x10, input.data.interval & 255, input.data.interval >> 8], warnings: ["restarts"] };',
  'return { data: { interval: input.bytes[1] | input.bytes[2] << 8, unit: "s" } };',
);

describe('a command', () => {
  it('is what its codec makes of it, and reads the same back', () => {
    expect(encode(INTERVAL, { interval: 600 })).toEqual({
      codec: 'meter@1',
      fPort: 85,
      payload: Buffer.from([0x10, 0x58, 0x02]),
      warnings: ['restarts'],
    });
  });

  it.each(['return { fPort: input.fPort, bytes: [1] };', 'return { bytes: [1] };'])(
    'goes to the port that is said where a codec leaves that open: %s',
    (encodes) => {
      expect(encode(codec(encodes), {}, { ...PLAIN, fPort: 7 }).fPort).toBe(7);
    },
  );

  it.each([
    {
      as: 'that the codec cannot read back',
      decodes: 'return { errors: ["not implemented"] };',
      warning: 'decodeDownlink does not read it: not implemented',
    },
    {
      as: 'whose reading back throws',
      decodes: 'throw new Error("not implemented");',
      warning: 'decodeDownlink does not read it: Error: not implemented',
    },
    {
      as: 'that reads back under other names',
      decodes: 'return { data: { period: { seconds: 4 } } };',
      warning: 'decodeDownlink does not tell period.s, mode of it',
    },
    {
      as: 'whose other names make the same bytes',
      decodes: 'return { data: { interval: 4 } };',
      warning: undefined,
    },
  ])('$as is sent, and that is said', ({ decodes, warning }) => {
    const source = codec(
      'return { fPort: 1, bytes: [input.data.interval || input.data.period.s || 0] };',
      decodes,
    );
    const { payload, warnings } = encode(source, { period: { s: 4 }, mode: 'x' });
    expect(payload).toEqual(Buffer.from([4]));
    expect(warnings).toEqual(warning === undefined ? [] : [warning]);
  });

  it.each([
    {
      why: 'that the codec refuses',
      source: codec('return { errors: ["no such mode"] };'),
      says: 'reports: no such mode',
    },
    {
      why: 'without a port',
      source: codec('return { bytes: [1] };'),
      says: 'name it with --fport',
    },
    {
      why: 'on a port of the network',
      source: codec('return { fPort: 224, bytes: [1] };'),
      says: 'fPort wants 1 to 223',
    },
    {
      why: 'of no bytes',
      source: codec('return { fPort: 1, bytes: [] };'),
      says: 'bytes is empty',
    },
    {
      why: 'of more bytes than a frame has',
      source: codec('return { fPort: 1, bytes: new Array(243).fill(0) };'),
      says: 'bytes is too long',
    },
    {
      why: 'of what are no bytes',
      source: codec('return { fPort: 1, bytes: [256] };'),
      says: 'bytes.0 wants 0 to 255',
    },
    {
      why: 'that the codec throws at',
      source: codec('throw new Error("broken");'),
      says: 'CODEC_THREW',
    },
    { why: 'over which the codec loops', source: codec('for (;;) {}'), says: 'CODEC_OUT_OF_STEPS' },
    {
      why: 'that reads differently',
      source: codec(
        'return { fPort: 1, bytes: [input.data.interval] };',
        'return { data: { interval: 3 } };',
      ),
      says: 'interval: wants 4, is 3',
    },
  ])('$why is not sent', ({ source, says }) => {
    expect(() => encode(source, { interval: 4 })).toThrow(FailedError);
    expect(() => encode(source, { interval: 4 })).toThrow(says);
  });
});

describe('the registry, to who sends', () => {
  let world: CodecWorld;
  beforeEach(async () => {
    world = await openCodecWorld();
  });
  afterEach(() => world.close());

  const put = (name: string, source: string, canary?: number) =>
    world.desk.put({ name, kind: 'script', source }, [], canary);
  const down = () => openDownlinkDesk(world.db, world.kms, 'dev');
  const versionsFor = async (fPort?: number) => {
    const assignment = await down().assignmentOf(DEV_EUI);
    if (assignment === undefined) return undefined;
    const versions = await down().codecsOf(DEV_EUI, assignment, fPort);
    return versions.map(({ name, version }) => `${name}@${version}`);
  };

  it('has the codecs that a device was added with, in the versions that decode for it', async () => {
    expect(await versionsFor()).toBeUndefined();
    await put('meter', INTERVAL);
    await assignDevice(world.desk, DEV_EUI, { thing: 'cellar', codec: 'meter', fleet: 'city' });
    expect(await versionsFor()).toEqual(['meter@1']);
    await put('meter', `${INTERVAL}// 2`, 99.999);
    expect(await versionsFor()).toEqual(['meter@2']);
    await assignDevice(world.desk, DEV_EUI, { thing: 'cellar', codec: 'meter@1', fleet: 'city' });
    expect(await versionsFor(7)).toEqual(['meter@1']);
    await assignDevice(world.desk, DEV_EUI, { thing: 'cellar', codec: 'cayenne-lpp' });
    expect(await versionsFor()).toEqual([]);
  });

  it('knows a device that goes by a profile', async () => {
    await put('meter', INTERVAL);
    await world.desk.assign(
      { kind: 'many', sk: 'profile#water' },
      { codec: 'meter' },
      { fleet: 'city' },
    );
    await assignDevice(world.desk, DEV_EUI, { thing: 'cellar', profile: 'water' });
    expect(await versionsFor()).toEqual(['meter@1']);
  });

  it.each([
    { codec: 'meter', says: 'There is no codec meter' },
    { codec: 'json@2', says: 'json' },
    { codec: 'Meter', says: 'wants name or name@version' },
    { codec: 'meter@x', says: 'wants name or name@version' },
  ])('assigns no codec $codec that is not there', async ({ codec: name, says }) => {
    const adding = assignDevice(world.desk, DEV_EUI, {
      thing: 'cellar',
      codec: name,
      fleet: 'city',
    });
    await expect(adding).rejects.toThrow(says);
    expect((await world.desk.list()).devices).toEqual([]);
  });

  it('seals each payload under a counter of its own, for that device alone', async () => {
    const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    const device = { name: 'cellar', devEui: DEV_EUI };
    await expect(down().seal(device, 7, Buffer.from('on'))).rejects.toThrow('npm run codec -- key');
    await world.desk.putKey(world.kms, DEV_EUI, 'envelope', key);
    const frames = [
      await down().seal(device, 7, Buffer.from('on')),
      await down().seal(device, 7, Buffer.from('off')),
    ];
    const address = { devEui: DEV_EUI, fPort: 7, direction: 'down' } as const;
    expect(frames.map((frame) => openEnvelope(key, address, frame))).toEqual([
      { counter: 1, payload: Buffer.from('on') },
      { counter: 2, payload: Buffer.from('off') },
    ]);
  });
});
