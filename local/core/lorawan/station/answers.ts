import { dashedEui, id6Of } from '../eui.ts';
import { gpsSeconds } from '../mac-commands.ts';
import type { Region, Window } from '../region.ts';
import { stationJson } from './json.ts';

/** A frame to a class A device, for the station to send in RX1, or in RX2 where RX1 is taken. */
export interface StationDownlink {
  readonly devEui: string;
  /** By which the station tells that it was sent. */
  readonly diid: number;
  readonly phyPayload: Uint8Array;
  /** From the end of the uplink to RX1. */
  readonly rxDelaySeconds: number;
  readonly rx1: Window;
  readonly rx2: Window;
  /** Of the uplink that it answers. */
  readonly xtime: bigint;
  readonly rctx: bigint;
}

export const routerInfo = (eui: string, uri: string): string =>
  stationJson({ router: id6Of(eui), muxs: '::0', uri });

export const routerRefusal = (eui: string, error: string): string =>
  stationJson({ router: id6Of(eui), error });

export const downlinkMessage = (downlink: StationDownlink): string =>
  stationJson({
    msgtype: 'dnmsg',
    DevEui: dashedEui(downlink.devEui),
    dC: 0,
    diid: downlink.diid,
    pdu: Buffer.from(downlink.phyPayload).toString('hex'),
    RxDelay: downlink.rxDelaySeconds,
    RX1DR: downlink.rx1.dataRate,
    RX1Freq: downlink.rx1.frequencyHz,
    RX2DR: downlink.rx2.dataRate,
    RX2Freq: downlink.rx2.frequencyHz,
    priority: 0,
    xtime: downlink.xtime,
    rctx: downlink.rctx,
  });

/** @param nowMs  milliseconds since the Unix epoch */
export const timeSyncAnswer = (txtime: number | bigint, nowMs: number): string =>
  stationJson({
    msgtype: 'timesync',
    txtime,
    gpstime: BigInt(Math.round(gpsSeconds(nowMs) * 1_000_000)),
  });

/** How AWS's regions are called in the LNS protocol. */
const STATION_REGIONS = { EU868: 'EU863', US915: 'US902' } as const;
const RANGES_HZ = { EU868: [863_000_000, 870_000_000], US915: [902_000_000, 928_000_000] } as const;

/** What a station is to listen to: eight channels of 125 kHz and a wide one. */
export const routerConfig = (region: Region, subBand: number): string =>
  stationJson({
    msgtype: 'router_config',
    NetID: null, // an empty list would be one that no frame is on, and the station would keep them all
    JoinEui: null,
    region: STATION_REGIONS[region.name],
    hwspec: 'sx1301/1',
    freq_range: RANGES_HZ[region.name],
    DRs: Array.from({ length: 16 }, (_, index) => {
      const rate = region.dataRates[index];
      return rate === undefined
        ? [-1, 0, 0]
        : [rate.spreadingFactor, rate.bandwidthKhz, rate.downOnly === true ? 1 : 0];
    }),
    sx1301_conf: [concentrator(region, subBand)],
    nocca: true,
    nodc: false,
    nodwell: true,
    max_eirp: region.maxPowerDbm,
  });

/** Widest that a channel's middle may be from its radio's. */
const REACH_HZ = 400_000;

/** Two radios, the channels spread over them. */
function concentrator(region: Region, subBand: number) {
  const channels = region.channels(subBand);
  const wide = region.wideChannel(subBand);
  const radios = radiosFor([...channels, wide.frequencyHz]);
  const place = (frequencyHz: number) => {
    const radio = radios.findIndex((middle) => Math.abs(frequencyHz - middle) <= REACH_HZ);
    return { enable: true, radio, if: frequencyHz - (radios[radio] ?? 0) };
  };
  return {
    radio_0: { enable: true, freq: radios[0] },
    radio_1: { enable: true, freq: radios[1] },
    chan_FSK: { enable: false },
    chan_Lora_std: {
      ...place(wide.frequencyHz),
      bandwidth: wide.bandwidthKhz * 1000,
      spread_factor: wide.spreadingFactor,
    },
    ...Object.fromEntries(channels.map((hz, at) => [`chan_multiSF_${at}`, place(hz)])),
  };
}

/** The lowest channels to the first radio, what it does not reach to the second. */
function radiosFor(frequenciesHz: readonly number[]): readonly [number, number] {
  const first = Math.min(...frequenciesHz) + REACH_HZ;
  const rest = frequenciesHz.filter((hz) => hz > first + REACH_HZ);
  return [first, Math.min(...rest) + REACH_HZ];
}
