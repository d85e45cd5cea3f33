import { describe, expect, it } from '@jest/globals';
import { parseUplink } from '../../../../local/core/lorawan/frame.ts';
import {
  buildJoinAccept,
  buildJoinRequest,
  joinMic,
  openJoinAccept,
  sessionKeys,
} from '../../../../local/core/lorawan/join.ts';
import { regionOf } from '../../../../local/core/lorawan/region.ts';
import { oracle } from './oracle.ts';

const APP_KEY = Buffer.from('b6b53f4a168a7a88bdf7ea135ce9cfca', 'hex');
const REQUEST = { joinEui: '70b3d57ed00000dc', devEui: '00afee7cf5ed6f1e', devNonce: 0xcc85 };
const GRANT = {
  joinNonce: 0xe5063a,
  netId: '000013',
  devAddr: '26012e43',
  rx1DataRateOffset: 0,
  rx2DataRate: 3,
  rxDelaySeconds: 1,
};

describe('a join-request', () => {
  it('is built byte for byte as published', () => {
    const published = '00dc0000d07ed5b3701e6fedf57ceeaf0085cc587fe913';
    expect(buildJoinRequest(APP_KEY, REQUEST).toString('hex')).toBe(published);
  });

  it('opens to its identifiers, with the MIC of its key', () => {
    const frame = parseUplink(buildJoinRequest(APP_KEY, REQUEST));
    expect(frame).toMatchObject({ type: 'JoinRequest', ...REQUEST });
    expect(joinMic(APP_KEY, frame.covered)).toEqual(frame.mic);
  });
});

describe('a join-accept', () => {
  it('opens where it was published', () => {
    const bytes = Buffer.from(
      '204dd85ae608b87fc4889970b7d2042c9e72959b0057aed6094b16003df12de145',
      'hex',
    );
    expect(openJoinAccept(APP_KEY, bytes)).toMatchObject(GRANT);
  });

  it.each([
    ['without channels', {}],
    ['with channels', { cfList: regionOf('EU868').cfList(0) }],
  ])('means the same to an independent library, %s', (_what, more) => {
    const bytes = buildJoinAccept(APP_KEY, { ...GRANT, ...more });
    const clear = oracle.decryptJoinAccept(oracle.fromWire(bytes), APP_KEY);
    const packet = oracle.fromWire(clear);
    expect(packet.NetID?.toString('hex')).toBe(GRANT.netId);
    expect(packet.AppNonce?.toString('hex')).toBe('e5063a');
    expect(packet.DevAddr?.toString('hex')).toBe(GRANT.devAddr);
    expect(packet.getDLSettingsRxTwoDataRate()).toBe(3);
    expect(oracle.verifyMIC(packet, undefined, APP_KEY)).toBe(true);
    expect(openJoinAccept(APP_KEY, bytes)).toEqual({ ...GRANT, ...more });
  });

  it('is refused with any single bit changed', () => {
    const bytes = buildJoinAccept(APP_KEY, GRANT);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => openJoinAccept(APP_KEY, flipped)).toThrow();
    }
  });
});

describe('session keys', () => {
  it('are those that an independent library derives', () => {
    const ours = sessionKeys(APP_KEY, GRANT, REQUEST.devNonce);
    const theirs = oracle.generateSessionKeys10(
      APP_KEY,
      Buffer.from(GRANT.netId, 'hex'),
      Buffer.from('e5063a', 'hex'),
      Buffer.from('cc85', 'hex'),
    );
    expect(ours).toEqual({ nwkSKey: theirs.NwkSKey, appSKey: theirs.AppSKey });
  });
});
