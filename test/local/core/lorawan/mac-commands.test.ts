import { describe, expect, it } from '@jest/globals';
import {
  deviceTimeAnswer,
  gpsSeconds,
  linkCheckAnswer,
  parseMacCommands,
} from '../../../../local/core/lorawan/mac-commands.ts';

describe('MAC commands of a device', () => {
  it.each([
    ['02', [{ kind: 'LinkCheckReq' }]],
    ['0d02', [{ kind: 'DeviceTimeReq' }, { kind: 'LinkCheckReq' }]],
    ['06ff3f', [{ kind: 'DevStatusAns', battery: 255, margin: -1 }]],
    ['06001f', [{ kind: 'DevStatusAns', battery: 0, margin: 31 }]],
    ['030702', [{ kind: 'ignored', name: 'LinkADRAns' }, { kind: 'LinkCheckReq' }]],
    ['0280 02', [{ kind: 'LinkCheckReq' }]],
    ['06ff', []],
    ['', []],
  ])('%s', (bytes, expected) => {
    expect(parseMacCommands(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))).toEqual(expected);
  });
});

describe('answers', () => {
  it('of a link check stay within their octets', () => {
    expect(linkCheckAnswer(17.9, 3).toString('hex')).toBe('021103');
    expect(linkCheckAnswer(-3, 999).toString('hex')).toBe('0200ff');
  });

  it('of the time are seconds since 1980 without leap seconds, and 1/256 of one', () => {
    const atMs = Date.UTC(2026, 0, 1, 0, 0, 0, 500);
    expect(Math.floor(gpsSeconds(atMs))).toBe(1_451_260_818);
    const answer = deviceTimeAnswer(atMs);
    expect(answer.readUInt32LE(1)).toBe(1_451_260_818);
    expect(answer[5]).toBe(128);
  });
});
