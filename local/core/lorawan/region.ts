/** What a region's parameters say, for what this network does. @see RP002-1.0.3 */
export interface Region {
  /** As AWS names it in `RfRegion`. */
  readonly name: RegionName;
  /** By data rate index; undefined where there is none. */
  readonly dataRates: readonly (DataRate | undefined)[];
  /** Largest application payload by data rate, without repeater. */
  readonly maxPayload: readonly number[];
  readonly rx2: Window;
  /** RX1 of an uplink, with an offset of 0. */
  readonly rx1: (uplink: Window) => Window;
  /** What a join-accept tells of channels. */
  readonly cfList: (subBand: number) => Buffer;
  /** Sub-bands that a gateway can listen to. */
  readonly subBands: readonly number[];
  readonly maxPowerDbm: number;
  /** First frequencies of the eight channels of 125 kHz. */
  readonly channels: (subBand: number) => readonly number[];
  /** The one channel that is wider. */
  readonly wideChannel: (subBand: number) => DataRate & { readonly frequencyHz: number };
  readonly joinDataRate: number;
}

export const REGION_NAMES = ['EU868', 'US915'] as const;
export type RegionName = (typeof REGION_NAMES)[number];

export interface DataRate {
  readonly spreadingFactor: number;
  readonly bandwidthKhz: number;
  /** Only networks send with it. */
  readonly downOnly?: boolean;
}

/** A data rate on a frequency. */
export interface Window {
  readonly dataRate: number;
  readonly frequencyHz: number;
}

const lora = (spreadingFactor: number, bandwidthKhz: number): DataRate => ({
  spreadingFactor,
  bandwidthKhz,
});
const down = (spreadingFactor: number): DataRate => ({
  ...lora(spreadingFactor, 500),
  downOnly: true,
});

const EU868_EXTRA_HZ = [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000];

const EU868: Region = {
  name: 'EU868',
  dataRates: [
    lora(12, 125),
    lora(11, 125),
    lora(10, 125),
    lora(9, 125),
    lora(8, 125),
    lora(7, 125),
    lora(7, 250),
  ],
  maxPayload: [51, 51, 51, 115, 242, 242, 242],
  rx2: { dataRate: 0, frequencyHz: 869_525_000 },
  rx1: ({ dataRate, frequencyHz }) => ({ dataRate, frequencyHz }),
  cfList: () => {
    const list = Buffer.alloc(16);
    for (const [index, hz] of EU868_EXTRA_HZ.entries()) list.writeUIntLE(hz / 100, index * 3, 3);
    return list;
  },
  subBands: [],
  maxPowerDbm: 14,
  channels: () => [868_100_000, 868_300_000, 868_500_000, ...EU868_EXTRA_HZ],
  wideChannel: () => ({ ...lora(7, 250), frequencyHz: 868_300_000 }),
  joinDataRate: 5,
};

const US915_FIRST_HZ = 902_300_000;
const US915_STEP_HZ = 200_000;
const US915_WIDE_FIRST_HZ = 903_000_000;
const US915_WIDE_STEP_HZ = 1_600_000;
const US915_DOWN_FIRST_HZ = 923_300_000;
const US915_DOWN_STEP_HZ = 600_000;
/** Of an uplink with data rate 0 to 4. */
const US915_RX1_RATES = [10, 11, 12, 13, 13];

const US915: Region = {
  name: 'US915',
  dataRates: [
    lora(10, 125),
    lora(9, 125),
    lora(8, 125),
    lora(7, 125),
    lora(8, 500),
    undefined,
    undefined,
    undefined,
    ...[12, 11, 10, 9, 8, 7].map(down),
  ],
  maxPayload: [11, 53, 125, 242, 242, 0, 0, 0, 53, 129, 242, 242, 242, 242],
  rx2: { dataRate: 8, frequencyHz: 923_300_000 },
  rx1: ({ dataRate, frequencyHz }) => ({
    dataRate: US915_RX1_RATES[dataRate] ?? 8,
    frequencyHz:
      US915_DOWN_FIRST_HZ + (us915Channel(frequencyHz, dataRate) % 8) * US915_DOWN_STEP_HZ,
  }),
  cfList: (subBand) => {
    const list = Buffer.alloc(16);
    list.writeUInt8(0xff, subBand - 1);
    list.writeUInt8(1 << (subBand - 1), 8);
    list.writeUInt8(1, 15); // CFListType 1: channel masks
    return list;
  },
  subBands: [1, 2, 3, 4, 5, 6, 7, 8],
  maxPowerDbm: 26,
  channels: (subBand) =>
    Array.from({ length: 8 }, (_, at) => US915_FIRST_HZ + ((subBand - 1) * 8 + at) * US915_STEP_HZ),
  wideChannel: (subBand) => ({
    ...lora(8, 500),
    frequencyHz: US915_WIDE_FIRST_HZ + (subBand - 1) * US915_WIDE_STEP_HZ,
  }),
  joinDataRate: 0,
};

/** 0 to 63 with 125 kHz, 64 to 71 with 500 kHz. */
const us915Channel = (frequencyHz: number, dataRate: number): number =>
  dataRate === 4
    ? 64 + Math.round((frequencyHz - US915_WIDE_FIRST_HZ) / US915_WIDE_STEP_HZ)
    : Math.round((frequencyHz - US915_FIRST_HZ) / US915_STEP_HZ);

const REGIONS: Readonly<Record<RegionName, Region>> = { EU868, US915 };

export const regionOf = (name: RegionName): Region => REGIONS[name];

/** Index of the data rate that devices send with these; undefined where the region has none. */
export function dataRateOf(region: Region, spreadingFactor: number, bandwidthKhz: number) {
  const at = region.dataRates.findIndex(
    (rate) =>
      rate !== undefined &&
      rate.downOnly !== true &&
      rate.spreadingFactor === spreadingFactor &&
      rate.bandwidthKhz === bandwidthKhz,
  );
  return at < 0 ? undefined : at;
}

/** The SNR that a receiver needs at a spreading factor, in dB. @see SX1276 data sheet, table 13 */
export const demodulationFloorDb = (spreadingFactor: number): number =>
  -7.5 - 2.5 * (spreadingFactor - 7);
