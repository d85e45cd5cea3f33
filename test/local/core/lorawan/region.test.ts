import { describe, expect, it } from '@jest/globals';
import {
  dataRateOf,
  demodulationFloorDb,
  regionOf,
} from '../../../../local/core/lorawan/region.ts';

const EU868 = regionOf('EU868');
const US915 = regionOf('US915');

describe('EU868', () => {
  it.each([
    [12, 125, 0],
    [7, 125, 5],
    [7, 250, 6],
    [7, 500, undefined],
  ])('SF%i with %i kHz is data rate %p', (factor, bandwidth, expected) => {
    expect(dataRateOf(EU868, factor, bandwidth)).toBe(expected);
  });

  it('answers in RX1 where it heard the device', () => {
    const heard = { dataRate: 3, frequencyHz: 867_500_000 };
    expect(EU868.rx1(heard)).toEqual(heard);
  });

  it('tells a joining device of five more channels', () => {
    const list = EU868.cfList(0);
    expect(list.toString('hex')).toBe('184f84e85684b85e84886684586e8400');
  });
});

describe('US915', () => {
  it.each([
    [902_300_000, 0, 923_300_000, 10],
    [903_900_000, 3, 923_300_000, 13],
    [905_300_000, 1, 927_500_000, 11],
    [904_600_000, 4, 923_900_000, 13],
  ])('answers %i Hz with data rate %i on %i Hz with data rate %i', (hz, rate, downHz, downRate) => {
    expect(US915.rx1({ dataRate: rate, frequencyHz: hz })).toEqual({
      dataRate: downRate,
      frequencyHz: downHz,
    });
  });

  it('never takes a data rate of networks for one of devices', () => {
    expect(dataRateOf(US915, 8, 500)).toBe(4);
    expect(dataRateOf(US915, 12, 500)).toBeUndefined();
  });

  it('masks all channels but those of the sub-band', () => {
    expect(US915.cfList(2).toString('hex')).toBe('00ff0000000000000200000000000001');
    expect(US915.channels(2)).toEqual([
      903_900_000, 904_100_000, 904_300_000, 904_500_000, 904_700_000, 904_900_000, 905_100_000,
      905_300_000,
    ]);
  });
});

it('a receiver needs less signal for slower frames', () => {
  expect([7, 10, 12].map(demodulationFloorDb)).toEqual([-7.5, -15, -20]);
});
