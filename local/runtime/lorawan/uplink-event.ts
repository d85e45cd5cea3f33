import type { UplinkFrame } from '../../core/lorawan/frame.ts';
import type { Region } from '../../core/lorawan/region.ts';
import type { Heard, WirelessDevice } from './model.ts';
import type { OpenedUplink } from './uplink.ts';

/** What a service profile adds to uplinks, or leaves out. */
export interface UplinkExtras {
  readonly gateways: boolean;
  readonly battery: boolean;
  readonly margin: boolean;
}

/** An uplink without an FPort arrives under this one. */
const NO_PORT = 225;

/**
 * An uplink as AWS IoT Core for LoRaWAN hands it to a destination's rule.
 *
 * @see AWS IoT Wireless developer guide, Uplink metadata format
 */
export function uplinkEvent(
  { device, fCnt, payload }: OpenedUplink,
  frame: UplinkFrame,
  heard: Heard,
  {
    region,
    extras,
    ackedMessageId,
  }: { region: Region; extras: UplinkExtras; ackedMessageId: string | undefined },
) {
  return {
    WirelessDeviceId: device.id,
    PayloadData: payload.toString('base64'),
    ...(ackedMessageId !== undefined && { AckedMessageId: ackedMessageId }),
    WirelessMetadata: {
      LoRaWAN: {
        ADR: frame.control.adr,
        ...radio(heard, region),
        ClassB: frame.control.classB,
        DevAddr: frame.devAddr,
        DevEui: device.devEui,
        FCnt: fCnt,
        FOptLen: frame.fOpts.length,
        FPort: frame.fPort ?? NO_PORT,
        MIC: Buffer.from(frame.mic).reverse().toString('hex'),
        MType: frame.type,
        Major: 'LoRaWANR1',
        ...(extras.gateways && { Gateways: heard.map(gatewayOf) }),
        ...statusOf(device, extras),
      },
    },
  };
}

export type UplinkEvent = ReturnType<typeof uplinkEvent>;

function radio([best]: Heard, region: Region) {
  const rate = region.dataRates[best.dataRate];
  return {
    Bandwidth: rate?.bandwidthKhz ?? 0,
    CodeRate: '4/5',
    DataRate: String(best.dataRate),
    Frequency: String(best.frequencyHz),
    Modulation: 'LORA',
    PolarizationInversion: false,
    SpreadingFactor: rate?.spreadingFactor ?? 0,
    Timestamp: new Date(best.receivedAtMs).toISOString().replace(/\.\d+Z$/, 'Z'),
  };
}

const gatewayOf = ({ gatewayEui, rssi, snr }: Heard[number]) => ({
  GatewayEui: gatewayEui,
  Rssi: rssi,
  Snr: snr,
});

const statusOf = ({ status }: WirelessDevice, { battery, margin }: UplinkExtras) =>
  status === undefined
    ? {}
    : { ...(battery && { Battery: status.battery }), ...(margin && { Margin: status.margin }) };
