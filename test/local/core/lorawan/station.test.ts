import { describe, expect, it } from '@jest/globals';
import { dashedEui, id6Of, parseEui } from '../../../../local/core/lorawan/eui.ts';
import { regionOf } from '../../../../local/core/lorawan/region.ts';
import {
  downlinkMessage,
  routerConfig,
  routerInfo,
  timeSyncAnswer,
} from '../../../../local/core/lorawan/station/answers.ts';
import { parseStationJson } from '../../../../local/core/lorawan/station/json.ts';
import {
  parseRouterInfo,
  parseStationMessage,
} from '../../../../local/core/lorawan/station/messages.ts';

describe('an EUI', () => {
  it.each([
    ['b827:ebff:fe01:2345', 'b827ebfffe012345'],
    ['::1', '0000000000000001'],
    ['1::', '0001000000000000'],
    ['1:0:0:a1', '00010000000000a1'],
    ['::0', '0000000000000000'],
    ['B8-27-EB-FF-FE-01-23-45', 'b827ebfffe012345'],
    ['B827EBFFFE012345', 'b827ebfffe012345'],
    [13_269_834_311_781_131_077n, 'b827ebfffe012345'],
    [161, '00000000000000a1'],
  ])('%p is %s', (written, expected) => {
    expect(parseEui(written)).toBe(expected);
  });

  it.each(['', 'gateway', '1:2:3', '1:2:3:4:5', '::1::', '1:2:3:4::', '12345:1:1:1', '00-11-22'])(
    '%p is none',
    (written) => {
      expect(() => parseEui(written)).toThrow('is no EUI');
    },
  );

  it('is written as stations write it', () => {
    expect(dashedEui('b827ebfffe012345')).toBe('B8-27-EB-FF-FE-01-23-45');
    expect(id6Of('b827ebfffe000005')).toBe('b827:ebff:fe00:5');
    expect(parseEui(id6Of('000000000000a001'))).toBe('000000000000a001');
  });
});

const UPINFO = '"upinfo":{"rctx":0,"xtime":40532396646334465,"gpstime":0,"rssi":-72.0,"snr":9.25}';
const UPDF = `{"msgtype":"updf","MHdr":64,"DevAddr":1237220849,"FCtrl":0,"FCnt":2,"FOpts":"","FPort":1,"FRMPayload":"95437876","MIC":234819883,"RefTime":0.0,"DR":5,"Freq":868100000,${UPINFO}}`;

describe("a station's message", () => {
  it('is put together to the frame that was on the air', () => {
    expect(parseStationMessage(UPDF)).toEqual({
      kind: 'frame',
      phyPayload: Buffer.from('40f17dbe4900020001954378762b11ff0d', 'hex'),
      dataRate: 5,
      frequencyHz: 868_100_000,
      rssi: -72,
      snr: 9.25,
      xtime: 40_532_396_646_334_465n,
      rctx: 0n,
    });
  });

  it('may have words with a sign, and no port', () => {
    const text = UPDF.replace('1237220849', '-2')
      .replace('"FPort":1', '"FPort":-1')
      .replace('95437876', '')
      .replace('234819883', '-1');
    const message = parseStationMessage(text);
    if (message.kind !== 'frame') throw new Error(message.kind);
    expect(message.phyPayload.toString('hex')).toBe('40feffffff000200ffffffff');
  });

  it('of a join names what the device sent', () => {
    const text = `{"msgtype":"jreq","MHdr":0,"JoinEui":"70-B3-D5-7E-D0-00-00-DC","DevEui":"00-AF-EE-7C-F5-ED-6F-1E","DevNonce":52357,"MIC":334069592,"DR":5,"Freq":868100000,${UPINFO}}`;
    const message = parseStationMessage(text);
    if (message.kind !== 'frame') throw new Error(message.kind);
    expect(message.phyPayload.toString('hex')).toBe(
      '00dc0000d07ed5b3701e6fedf57ceeaf0085cc587fe913',
    );
  });

  it.each([
    ['{"msgtype":"version","station":"2.0.6","protocol":2}', 'version'],
    ['{"msgtype":"dntxed","diid":7,"DevEui":"::1"}', 'sent'],
    ['{"msgtype":"timesync","txtime":1234}', 'timesync'],
    ['{"msgtype":"propdf","FRMPayload":"00"}', 'ignored'],
  ])('%s is %s', (text, kind) => {
    expect(parseStationMessage(text).kind).toBe(kind);
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'message'],
    ['{"msgtype":"updf"}', 'updf: DR'],
    [UPDF.replace('"95437876"', '"95437"'), 'FRMPayload'],
    [UPDF.replace('"FPort":1', '"FPort":-1'), 'FRMPayload without an FPort'],
    [UPDF.replace('"FCnt":2', '"FCnt":65536'), 'FCnt'],
    [UPDF.replace('"DR":5', '"DR":16'), 'DR'],
  ])('%s is refused: %s', (text, why) => {
    expect(() => parseStationMessage(text)).toThrow(why);
  });

  it('says who asks where to connect', () => {
    expect(parseRouterInfo('{"router":"b827:ebff:fe01:2345"}')).toBe('b827ebfffe012345');
  });
});

describe('an answer to a station', () => {
  it('gives its clock back to the last digit', () => {
    const text = downlinkMessage({
      devEui: '70b3d57ed0000001',
      diid: 3,
      phyPayload: Buffer.from('60', 'hex'),
      rxDelaySeconds: 1,
      rx1: { dataRate: 5, frequencyHz: 868_100_000 },
      rx2: { dataRate: 0, frequencyHz: 869_525_000 },
      xtime: 40_532_396_646_334_465n,
      rctx: 0n,
    });
    expect(text).toContain('"xtime":40532396646334465');
    expect(parseStationJson(text)).toMatchObject({
      msgtype: 'dnmsg',
      DevEui: '70-B3-D5-7E-D0-00-00-01',
      dC: 0,
      pdu: '60',
      RxDelay: 1,
      RX1DR: 5,
      RX2Freq: 869_525_000,
    });
  });

  it('tells where to connect', () => {
    expect(JSON.parse(routerInfo('00000000000000a1', 'wss://localhost:8887/x'))).toEqual({
      router: '0:0:0:a1',
      muxs: '::0',
      uri: 'wss://localhost:8887/x',
    });
  });

  it('tells GPS time in microseconds', () => {
    const answer = timeSyncAnswer(99, Date.UTC(2026, 0, 1));
    expect(parseStationJson(answer)).toEqual({
      msgtype: 'timesync',
      txtime: 99,
      gpstime: 1_451_260_818_000_000,
    });
  });

  it.each([
    ['EU868', 0, 'EU863', [867_500_000, 868_500_000], 868_300_000],
    ['US915', 2, 'US902', [904_300_000, 905_300_000], 904_600_000],
  ] as const)(
    'configures eight channels in reach of two radios: %s',
    (name, subBand, called, radios, wideHz) => {
      const region = regionOf(name);
      const config = JSON.parse(routerConfig(region, subBand));
      const [radio] = config.sx1301_conf;
      expect(config).toMatchObject({ region: called, NetID: null, JoinEui: null });
      expect(config.DRs).toHaveLength(16);
      expect([radio.radio_0.freq, radio.radio_1.freq]).toEqual(radios);
      const heard = Array.from({ length: 8 }, (_, at) => {
        const channel = radio[`chan_multiSF_${at}`];
        expect(Math.abs(channel.if)).toBeLessThanOrEqual(400_000);
        return radios[channel.radio === 0 ? 0 : 1] + channel.if;
      });
      expect(heard).toEqual(region.channels(subBand));
      const wide = radio.chan_Lora_std;
      expect(radios[wide.radio === 0 ? 0 : 1] + wide.if).toBe(wideHz);
    },
  );
});
