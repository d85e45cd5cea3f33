import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFramer } from '../../../../local/core/mqtt/framer.ts';

const LIMIT = 149_504;

const variableByteInteger = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...variableByteInteger(value >> 7)];

const packet = (body: Uint8Array): Buffer =>
  Buffer.from([0x30, ...variableByteInteger(body.length), ...body]);

const hex = (packets: readonly Buffer[]): string[] => packets.map((each) => each.toString('hex'));

describe('the framer', () => {
  it('gives the same packets however the stream is cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(bodies, cuts, (contents, sizes) => {
        const packets = contents.map(packet);
        const framer = createFramer(LIMIT);
        const got: Buffer[] = [];
        let rest = Buffer.concat(packets);
        for (let turn = 0; rest.length > 0; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          got.push(...framer.push(rest.subarray(0, size)));
          rest = rest.subarray(size);
        }
        expect(hex(got)).toEqual(hex(packets));
        expect(framer.pendingBytes).toBe(0);
      }),
    );
  });

  it('takes the largest packet and refuses one byte more by its header', () => {
    const framer = createFramer(LIMIT);
    const header = (length: number) => Buffer.from([0x30, ...variableByteInteger(length)]);
    expect(framer.push(header(LIMIT - 4))).toEqual([]);
    expect(() => createFramer(LIMIT).push(header(LIMIT - 3))).toThrow(/149505 bytes is larger/);
  });

  it('takes a large packet in single bytes without going over it again and again', () => {
    const framer = createFramer(LIMIT);
    const large = packet(new Uint8Array(140_000));
    let packets: Buffer[] = [];
    for (let at = 0; at < large.length; at += 1) packets = framer.push(large.subarray(at, at + 1));
    expect(packets).toHaveLength(1);
  });
});
