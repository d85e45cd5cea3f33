import { describe, expect, it } from '@jest/globals';
import { buildData } from '../../../../local/core/lorawan/data-frame.ts';
import {
  type DataUp,
  parseUplink,
  type UplinkFrame,
} from '../../../../local/core/lorawan/frame.ts';
import {
  cryptPayload,
  dataMic,
  type FramePlace,
  sameMic,
} from '../../../../local/core/lorawan/session-crypto.ts';
import { seeded } from '../../../../local/fleet/random.ts';
import { oracle, upperBits } from './oracle.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Published with its keys by several packet tools. */
const KNOWN = {
  frame: hex('40f17dbe4900020001954378762b11ff0d'),
  keys: {
    nwkSKey: hex('44024241ed4ce9a68c6a8bc055233fd3'),
    appSKey: hex('ec925802ae430ca77fd3dd73cb2cc588'),
  },
  place: { direction: 'up', devAddr: '49be7df1', fCnt: 2 },
} as const;

function dataOf(bytes: Uint8Array): UplinkFrame {
  const frame = parseUplink(bytes);
  if (frame.type === 'JoinRequest') throw new Error('a join-request, not data');
  return frame;
}

const bytesBy = (random: () => number) => (count: number) =>
  Buffer.from(Array.from({ length: count }, () => Math.floor(random() * 256)));

function randomUplink(random: () => number) {
  const some = bytesBy(random);
  const keys = { nwkSKey: some(16), appSKey: some(16) };
  const type: DataUp = random() < 0.5 ? 'UnconfirmedDataUp' : 'ConfirmedDataUp';
  const content = {
    type,
    devAddr: some(4).toString('hex'),
    fCnt: Math.floor(random() * 2 ** 32),
    fPort: 1 + Math.floor(random() * 223),
    payload: some(1 + Math.floor(random() * 50)),
    fOpts: some(Math.floor(random() * 16)),
    adr: random() < 0.5,
    ack: random() < 0.5,
  };
  const place: FramePlace = { direction: 'up', devAddr: content.devAddr, fCnt: content.fCnt };
  return { content, keys, place, frame: buildData(content, keys) };
}

/** Whether a receiver with the keys takes it for the frame at this place. */
function accepted(bytes: Uint8Array, { keys, place }: ReturnType<typeof randomUplink>): boolean {
  try {
    const frame = dataOf(bytes);
    const own = { ...place, devAddr: frame.devAddr };
    return sameMic(dataMic(keys.nwkSKey, own, frame.covered), frame.mic);
  } catch {
    return false;
  }
}

describe('a data frame', () => {
  it('opens to what a published frame holds', () => {
    const frame = dataOf(KNOWN.frame);
    expect(frame).toMatchObject({
      type: 'UnconfirmedDataUp',
      devAddr: '49be7df1',
      fCnt16: 2,
      fPort: 1,
    });
    expect(dataMic(KNOWN.keys.nwkSKey, KNOWN.place, frame.covered)).toEqual(frame.mic);
    const clear = cryptPayload(KNOWN.keys.appSKey, KNOWN.place, frame.frmPayload);
    expect(clear.toString()).toBe('test');
  });

  it('is built byte for byte as published', () => {
    const content = { type: 'UnconfirmedDataUp', devAddr: '49be7df1', fCnt: 2, fPort: 1 } as const;
    expect(buildData({ ...content, payload: Buffer.from('test') }, KNOWN.keys)).toEqual(
      KNOWN.frame,
    );
  });

  it('means the same to an independent library, 200 times', () => {
    const random = seeded(1);
    for (let round = 0; round < 200; round += 1) {
      const { content, keys, frame } = randomUplink(random);
      const packet = oracle.fromWire(frame);
      const upper = upperBits(content.fCnt);
      expect(oracle.verifyMIC(packet, keys.nwkSKey, undefined, upper)).toBe(true);
      expect(oracle.decrypt(packet, keys.appSKey, keys.nwkSKey, upper)).toEqual(content.payload);
      expect(packet.FOpts ?? Buffer.alloc(0)).toEqual(content.fOpts);
      expect(packet.isConfirmed()).toBe(content.type === 'ConfirmedDataUp');
    }
  });

  it('is refused with any single bit of it changed, for each of 200 frames', () => {
    const random = seeded(2);
    const taken: string[] = [];
    for (let round = 0; round < 200; round += 1) {
      const sent = randomUplink(random);
      expect(accepted(sent.frame, sent)).toBe(true);
      for (let bit = 0; bit < sent.frame.length * 8; bit += 1) {
        const flipped = Buffer.from(sent.frame);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        if (accepted(flipped, sent)) taken.push(`frame ${round}, bit ${bit}`);
      }
    }
    expect(taken).toEqual([]);
  });

  it.each([
    ['', 'empty'],
    ['41f17dbe4900020001954378762b11ff0d', 'major version 1'],
    ['40f17dbe490002', 'at least 12 bytes'],
    ['40f17dbe490f0200954378762b11ff', 'FOptsLen says 15 bytes'],
    ['40f17dbe49010200060001954378762b11ff0d', 'FOpts and FPort 0'],
    ['60f17dbe4900020001954378762b11ff0d', 'UnconfirmedDataDown'],
    ['e0f17dbe4900020001954378762b11ff0d', 'Proprietary'],
    ['00f17dbe49', '23 bytes'],
  ])('%s is refused: %s', (bytes, why) => {
    expect(() => parseUplink(hex(bytes))).toThrow(why);
  });

  it('has no port and no payload when it is only acknowledging', () => {
    const content = { type: 'UnconfirmedDataUp', devAddr: '49be7df1', fCnt: 3, ack: true } as const;
    const frame = dataOf(buildData(content, KNOWN.keys));
    expect(frame.fPort).toBeUndefined();
    expect(frame.frmPayload).toHaveLength(0);
    expect(frame.control.ack).toBe(true);
  });
});
