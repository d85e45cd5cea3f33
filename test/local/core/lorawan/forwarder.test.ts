import { describe, expect, it } from '@jest/globals';
import {
  acknowledgement,
  parsePacket,
  parsePush,
  parseTxAck,
  pullResponse,
} from '../../../../local/core/lorawan/forwarder/packets.ts';
import { regionOf } from '../../../../local/core/lorawan/region.ts';

const EU868 = regionOf('EU868');
const EUI = '00000000000000a1';
const packet = (type: number, json = '') =>
  Buffer.concat([Buffer.of(2, 0xab, 0xcd, type), Buffer.from(EUI, 'hex'), Buffer.from(json)]);

const RXPK = {
  tmst: 3_512_348_611,
  chan: 2,
  rfch: 0,
  freq: 868.1,
  stat: 1,
  modu: 'LORA',
  datr: 'SF7BW125',
  codr: '4/6',
  rssi: -35,
  lsnr: 5.1,
  size: 17,
  data: 'QPF9vkkAAgABlUN4disR/w0=',
};

describe("a gateway's packet", () => {
  it.each([
    [0x00, 'push-data', '02abcd01'],
    [0x02, 'pull-data', '02abcd04'],
    [0x05, 'tx-ack', undefined],
  ])('of type %i is %s and answered with %s', (type, kind, answer) => {
    const parsed = parsePacket(packet(type, '{}'));
    expect(parsed).toMatchObject({ kind, gatewayEui: EUI, token: 0xabcd, json: '{}' });
    expect(acknowledgement(parsed)?.toString('hex')).toBe(answer);
  });

  it.each([
    [Buffer.alloc(3), 'at least 12 bytes'],
    [Buffer.concat([Buffer.of(1), packet(0).subarray(1)]), 'protocol version 1'],
    [packet(0x03), 'packet type 3'],
  ])('%p is refused: %s', (bytes, why) => {
    expect(() => parsePacket(bytes)).toThrow(why);
  });
});

describe('frames of a PUSH_DATA', () => {
  it('are read with the clock of their gateway', () => {
    expect(parsePush(JSON.stringify({ rxpk: [RXPK], stat: {} }), EU868)).toEqual([
      {
        phyPayload: Buffer.from('40f17dbe4900020001954378762b11ff0d', 'hex'),
        tmst: 3_512_348_611,
        dataRate: 5,
        frequencyHz: 868_100_000,
        rssi: -35,
        snr: 5.1,
      },
    ]);
  });

  it.each([
    ['a wrong checksum', { stat: -1 }],
    ['FSK', { modu: 'FSK', datr: 50_000 }],
    ['a data rate that the region has not', { datr: 'SF12BW500' }],
  ])('are left out with %s', (_what, change) => {
    expect(parsePush(JSON.stringify({ rxpk: [{ ...RXPK, ...change }] }), EU868)).toEqual([]);
  });

  it.each([
    ['{', 'not JSON'],
    ['{"rxpk":{}}', 'rxpk'],
    [JSON.stringify({ rxpk: [{ ...RXPK, data: '***' }] }), 'data'],
    [JSON.stringify({ rxpk: [{ ...RXPK, tmst: -1 }] }), 'tmst'],
  ])('%s is refused: %s', (json, why) => {
    expect(() => parsePush(json, EU868)).toThrow(why);
  });

  it('may be none', () => {
    expect(parsePush('{"stat":{"rxnb":0}}', EU868)).toEqual([]);
  });
});

describe('a downlink', () => {
  it('is told by the clock of the gateway, which goes round', () => {
    const window = { dataRate: 5, frequencyHz: 868_100_000 };
    const tmst = 0xffff_ffff + 1_000_000;
    const bytes = pullResponse(7, EU868, { phyPayload: Buffer.of(0x60, 1), tmst, window });
    expect(bytes.subarray(0, 4).toString('hex')).toBe('02000703');
    expect(JSON.parse(bytes.subarray(4).toString())).toEqual({
      txpk: {
        imme: false,
        tmst: 999_999,
        freq: 868.1,
        rfch: 0,
        powe: 14,
        modu: 'LORA',
        datr: 'SF7BW125',
        codr: '4/5',
        ipol: true,
        size: 2,
        ncrc: true,
        data: 'YAE=',
      },
    });
  });

  it.each([
    ['', undefined],
    ['{"txpk_ack":{"error":"NONE"}}', undefined],
    ['{"txpk_ack":{"error":"TOO_LATE"}}', 'TOO_LATE'],
  ])('is acknowledged by %p: %p', (json, expected) => {
    expect(parseTxAck(json)).toBe(expected);
  });
});
