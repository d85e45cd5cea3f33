import type { LorawanEnvelope } from '../../shared/core/lorawan/uplink.ts';
import { RECEIVED_AT_MS } from './uplinks.ts';

export const DEVICE_ID = '5b58245e-146c-4c30-9703-0ca942e3ff35';
export const DEV_EUI = 'a81758fffe0346fb';

interface Changes {
  readonly deviceId?: string;
  readonly payload?: readonly number[] | Uint8Array;
  readonly radio?: Readonly<Record<string, unknown>>;
}

/** An uplink as AWS IoT Core for LoRaWAN hands it to a rule. */
export const lorawanMessage = ({
  deviceId = DEVICE_ID,
  payload = [0x01, 0x02],
  radio = {},
}: Changes = {}) => ({
  WirelessDeviceId: deviceId,
  PayloadData: Buffer.from(payload).toString('base64'),
  WirelessMetadata: {
    LoRaWAN: {
      ADR: true,
      Bandwidth: 125,
      ClassB: false,
      CodeRate: '4/5',
      DataRate: '5',
      DevAddr: '01b8f3c7',
      DevEui: DEV_EUI,
      FCnt: 5,
      FOptLen: 0,
      FPort: 2,
      Frequency: '868100000',
      Gateways: [
        { GatewayEui: '80029cfffe5cf1cc', Rssi: -97, Snr: 5.5 },
        { GatewayEui: 'b827ebfffe7c1a02', Rssi: -71, Snr: 9.75 },
      ],
      MIC: '7255cb07',
      MType: 'UnconfirmedDataUp',
      Major: 'LoRaWANR1',
      Modulation: 'LORA',
      PolarizationInversion: false,
      SpreadingFactor: 7,
      Timestamp: new Date(RECEIVED_AT_MS - 200).toISOString(),
      ...radio,
    },
  },
});

/** What the rule for LoRaWAN puts on `uplinks`. */
export const lorawanEnvelope = (
  message: object = lorawanMessage(),
  changes: Partial<LorawanEnvelope> = {},
): LorawanEnvelope => ({
  v: 1,
  source: 'lorawan',
  data: Buffer.from(JSON.stringify(message)).toString('base64'),
  receivedAtMs: RECEIVED_AT_MS,
  traceId: '6f9c2f7a-6a3c-4bd0-9df2-3b0f7f6f7d21',
  messageId: '0f1ab6f4-30a3-4a7e-8a52-9d1d3cf0a7c1',
  ...changes,
});
