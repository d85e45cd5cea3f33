import { describe, expect, it } from '@jest/globals';
import { RejectedError } from '../../../../shared/core/errors.ts';
import { linkOf } from '../../../../shared/core/lorawan/link.ts';
import { parseLorawanEnvelope, parseUplink } from '../../../../shared/core/lorawan/uplink.ts';
import {
  DEV_EUI,
  DEVICE_ID,
  lorawanEnvelope,
  lorawanMessage,
} from '../../../support/lorawan-uplinks.ts';
import { RECEIVED_AT_MS } from '../../../support/uplinks.ts';

const parse = (message: unknown) => parseUplink(Buffer.from(JSON.stringify(message)));

function rejection(step: () => unknown): Pick<RejectedError, 'code' | 'issues'> {
  try {
    step();
  } catch (error) {
    if (error instanceof RejectedError) return { code: error.code, issues: error.issues };
    throw error;
  }
  throw new Error('nothing was rejected');
}

describe('an uplink', () => {
  it('is read with what tells the frame and its device', () => {
    expect(parse(lorawanMessage())).toMatchObject({
      deviceId: DEVICE_ID,
      devEui: DEV_EUI,
      devAddr: '01b8f3c7',
      fPort: 2,
      fCnt: 5,
      mic: '7255cb07',
      payload: Buffer.from([1, 2]),
      heardAtMs: RECEIVED_AT_MS - 200,
    });
  });

  it.each([
    {
      as: 'in the guide’s first example',
      radio: { DevEui: '58a0cb000202c99', Fport: 136, FPort: undefined, DataRate: '0' },
      expected: { devEui: '58a0cb000202c99', fPort: 136 },
    },
    {
      as: 'with numbers as numbers',
      radio: { DataRate: 0, Frequency: 867_900_000 },
      expected: { radio: expect.objectContaining({ dataRate: '0', frequency: 867_900_000 }) },
    },
    {
      as: 'with numbers as texts',
      radio: { FPort: '2', FCnt: '70000', SpreadingFactor: '12' },
      expected: { fPort: 2, fCnt: 70_000, radio: expect.objectContaining({ spreadingFactor: 12 }) },
    },
    {
      as: 'with a DevEUI as people write it',
      radio: { DevEui: 'A8-17-58-FF-FE-03-46-FB' },
      expected: { devEui: DEV_EUI },
    },
    { as: 'without a counter', radio: { FCnt: undefined }, expected: { fCnt: undefined } },
    {
      as: 'with fields that are null',
      radio: { FCnt: null, Gateways: null },
      expected: { fCnt: undefined },
    },
    {
      as: 'with what no reading tells in whatever form',
      radio: { ADR: 'yes', ClassB: {}, CodeRate: 4, FOptLen: '0', Bandwidth: 'wide', MType: [] },
      expected: { fPort: 2, radio: expect.objectContaining({ adr: 'yes', bandwidth: undefined }) },
    },
    {
      as: 'with a time that is none',
      radio: { Timestamp: 'soon' },
      expected: { heardAtMs: undefined },
    },
  ])('is taken $as', ({ radio, expected }) => {
    expect(parse(lorawanMessage({ radio }))).toMatchObject(expected);
  });

  it('is taken in the shape that came before general availability', () => {
    const message = {
      DeviceId: DEVICE_ID,
      PayloadData: 'AQI=',
      Metadata: {
        LoRaWAN: {
          DevEUI: DEV_EUI,
          Gateways: [{ GatewayEUI: 'b827ebfffe7c1a02', RSSI: -71, SNR: 9 }],
        },
      },
    };
    expect(parse(message)).toMatchObject({ deviceId: DEVICE_ID, devEui: DEV_EUI });
  });

  it.each(['AQI', 'AQI=', 'AQI==', 'AQI===='])('is taken with its payload padded as %s', (text) => {
    expect(parse({ ...lorawanMessage(), PayloadData: text }).payload).toEqual(Buffer.from([1, 2]));
  });

  it.each([0, 224, 225, 255, undefined])('on FPort %s is for no codec', (FPort) => {
    expect(parse(lorawanMessage({ radio: { FPort } })).fPort).toBeUndefined();
  });

  it.each([
    { message: [], issues: ['(root): is not a JSON object'] },
    { message: {}, issues: ['WirelessMetadata.LoRaWAN: is missing'] },
    {
      message: { ...lorawanMessage(), WirelessDeviceId: 'a/b' },
      issues: ['wirelessDeviceId: wants 1 to 64 of A-Z a-z 0-9 _ -'],
    },
    { message: { ...lorawanMessage(), PayloadData: '%' }, issues: ['PayloadData: is not base64'] },
    {
      message: lorawanMessage({ radio: { DevEui: 'none' } }),
      issues: ['radio.devEui: wants up to 16 hexadecimal digits'],
    },
    {
      message: lorawanMessage({ radio: { FCnt: 2 ** 32 } }),
      issues: [expect.stringMatching(/^radio\.fCnt: /)],
    },
    {
      message: lorawanMessage({ radio: { FCnt: -1 } }),
      issues: [expect.stringMatching(/^radio\.fCnt: /)],
    },
  ])('is refused: $issues', ({ message, issues }) => {
    expect(rejection(() => parse(message))).toEqual({ code: 'MALFORMED_UPLINK', issues });
  });

  it('of Amazon Sidewalk is refused by name', () => {
    const message = {
      PayloadData: 'ZGVhZGJlZWY=',
      WirelessDeviceId: DEVICE_ID,
      WirelessMetadata: {
        Sidewalk: {
          CmdExStatus: 'COMMAND_EXEC_STATUS_UNSPECIFIED',
          SidewalkId: 'device-id',
          Seq: 0,
          MessageType: 'CUSTOM_COMMAND_ID_NOTIFY',
        },
      },
    };
    expect(rejection(() => parse(message))).toEqual({
      code: 'UNSUPPORTED_NETWORK',
      issues: ['WirelessMetadata.Sidewalk: is Amazon Sidewalk’s, wants LoRaWAN'],
    });
  });

  it('that is no JSON is refused', () => {
    expect(rejection(() => parseUplink(Buffer.from([0xff])))).toEqual({
      code: 'MALFORMED_UPLINK',
      issues: ['(root): is not JSON in UTF-8'],
    });
  });
});

describe('the envelope around it', () => {
  it('is opened', () => {
    expect(parseLorawanEnvelope(JSON.stringify(lorawanEnvelope()))).toEqual(lorawanEnvelope());
  });

  it('of another source is another function’s', () => {
    expect(parseLorawanEnvelope('{"v":1,"source":"telemetry"}')).toBeUndefined();
  });

  it.each([
    { record: { v: 2 }, code: 'UNSUPPORTED_VERSION' },
    { record: { data: 5 }, code: 'MALFORMED_ENVELOPE' },
    { record: { receivedAtMs: -1 }, code: 'MALFORMED_ENVELOPE' },
  ])('is refused with $record', ({ record, code }) => {
    const text = JSON.stringify({ ...lorawanEnvelope(), ...record });
    expect(rejection(() => parseLorawanEnvelope(text)).code).toBe(code);
  });
});

describe('the link', () => {
  const linked = (radio: Readonly<Record<string, unknown>>) =>
    linkOf(parse(lorawanMessage({ radio })), 3);

  it('is that of the gateway that heard best, of however many', () => {
    expect(linked({})).toEqual({
      gateway: 'b827ebfffe7c1a02',
      rssiDbm: -71,
      snrDb: 9.75,
      gateways: 2,
      frequencyHz: 868_100_000,
      dataRate: '5',
      bandwidthKhz: 125,
      spreadingFactor: 7,
      lostUplinks: 3,
    });
  });

  it('is that of a public gateway where there is no other', () => {
    const radio = {
      Gateways: undefined,
      PublicGateways: [
        {
          ProviderNetId: '0x0000b',
          Id: '3abe094',
          RfRegion: 'US915',
          Rssi: -12,
          Snr: 6.75,
          DlAllowed: true,
        },
      ],
    };
    expect(linked(radio)).toMatchObject({
      gateway: '3abe094',
      rssiDbm: -12,
      snrDb: 6.75,
      gateways: 1,
    });
  });

  it('names no gateway where the service profile leaves them out', () => {
    expect(linked({ Gateways: undefined })).not.toHaveProperty('gateway');
  });

  it.each([
    { Battery: 254, expected: { batteryPercent: 100, externalPower: false } },
    { Battery: 127, expected: { batteryPercent: 50, externalPower: false } },
    { Battery: 0, expected: { externalPower: true } },
  ])('tells the battery, DevStatusAns $Battery, as $expected', ({ Battery, expected }) => {
    expect(linked({ Battery, Margin: -12 })).toMatchObject({ ...expected, marginDb: -12 });
  });

  it('says nothing of a battery that the device does not know', () => {
    expect(linked({ Battery: 255 })).not.toHaveProperty('batteryPercent');
  });
});
