import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '../../../../local/fleet/random.ts';
import { RejectedError } from '../../../../shared/core/errors.ts';
import { cryptFrmPayload } from '../../../../shared/core/lorawan/frm-payload.ts';
import { openEnvelope, sealEnvelope } from '../../../../shared/core/lorawan/payload-envelope.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('FRMPayload', () => {
  it('is decrypted as in the frame that LoRaWAN libraries publish', () => {
    // PHYPayload 40F17DBE4900020001954378762B11FF0D, whose text is "test"
    const address = { devAddr: '49be7df1', fCnt: 2, direction: 'up' } as const;
    const appSKey = bytes('ec925802ae430ca77fd3dd73cb2cc588');
    expect(cryptFrmPayload(appSKey, address, bytes('95437876')).toString()).toBe('test');
  });

  it.each([1, 15, 16, 17, 222])('of %i bytes comes back', (length) => {
    const key = bytes('000102030405060708090a0b0c0d0e0f');
    const address = { devAddr: '01b8f3c7', fCnt: 0x12345678, direction: 'up' } as const;
    const payload = Buffer.alloc(length, 7);
    expect(cryptFrmPayload(key, address, cryptFrmPayload(key, address, payload))).toEqual(payload);
  });
});

const KEY = bytes('000102030405060708090a0b0c0d0e0f');
const ADDRESS = { devEui: 'a81758fffe0346fb', fPort: 10, direction: 'up' } as const;

/** As the page shows them: direction, counter, payload, frame. Made with the AES-CCM of Python's package cryptography. */
const ROW = /^\| (up|down) \| (\d+) \| (?:`([0-9a-f]+)` )?\| `([0-9a-f]+)` \|$/gm;
const VECTORS = [...readFileSync('docs/lorawan.md', 'utf8').matchAll(ROW)].map(
  ([, direction, counter, payload = '', frame = '']) => ({
    direction: direction === 'down' ? ('down' as const) : ('up' as const),
    counter: Number(counter),
    payload,
    frame,
  }),
);

it('the page on LoRaWAN shows envelopes of each length of tag, and of each direction', () => {
  expect(VECTORS.map(({ direction, frame }) => `${direction} ${frame.slice(0, 2)}`)).toEqual([
    'up 18',
    'up 14',
    'up 16',
    'down 18',
  ]);
});

describe('the envelope', () => {
  it.each(VECTORS)('of $frame opens to $payload', ({ direction, counter, payload, frame }) => {
    const address = { ...ADDRESS, direction };
    const [tag] = ([4, 6, 8] as const).filter((length) => frame.startsWith(`1${length}`));
    const content = { payload: bytes(payload), counter };
    expect(sealEnvelope(KEY, address, content, tag).toString('hex')).toBe(frame);
    expect(openEnvelope(KEY, address, bytes(frame))).toEqual(content);
  });

  const codeOf = (open: () => unknown): string | undefined => {
    try {
      open();
      return undefined;
    } catch (error) {
      return error instanceof RejectedError ? error.code : String(error);
    }
  };

  it('opens with no bit of it changed, in two hundred frames', () => {
    const random = seeded(4);
    for (let round = 0; round < 200; round += 1) {
      const payload = Buffer.from(Array.from({ length: 1 + (round % 16) }, () => random() * 256));
      const frame = sealEnvelope(KEY, ADDRESS, { payload, counter: round });
      for (let bit = 0; bit < frame.length * 8; bit += 1) {
        const altered = Buffer.from(frame);
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(codeOf(() => openEnvelope(KEY, ADDRESS, altered))).toBe('DECRYPTION_FAILED');
      }
    }
  });

  it.each([
    { other: 'device', address: { ...ADDRESS, devEui: 'a81758fffe0346fc' } },
    { other: 'FPort', address: { ...ADDRESS, fPort: 11 } },
    { other: 'direction', address: { ...ADDRESS, direction: 'down' } as const },
  ])('opens for no other $other', ({ address }) => {
    const frame = sealEnvelope(KEY, ADDRESS, { payload: bytes('0102'), counter: 1 });
    expect(codeOf(() => openEnvelope(KEY, address, frame))).toBe('DECRYPTION_FAILED');
  });

  it.each(['', '18', '1800000001', '10000000010102030405060708', '28000000010102030405060708090a'])(
    'is not what %s is',
    (hex) => {
      expect(codeOf(() => openEnvelope(KEY, ADDRESS, bytes(hex)))).toBe('DECRYPTION_FAILED');
    },
  );
});
