import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { payloadKeyKey } from '../../../../shared/adapters/lorawan/codec-table.ts';
import { NO_SESSIONS } from '../../../../shared/adapters/lorawan/session-table.ts';
import { type Frame, observe, type Sessions } from '../../../../shared/core/lorawan/sessions.ts';
import { type CodecWorld, openCodecWorld } from '../../../support/codec-world.ts';
import { DEV_EUI } from '../../../support/lorawan-uplinks.ts';
import { plentyOfTime } from '../../../support/retry-tools.ts';

let world: CodecWorld;
beforeEach(async () => {
  world = await openCodecWorld();
});
afterEach(() => world.close());

const frame = (fCnt: number): Frame => ({ devAddr: '01b8f3c7', fCnt, mic: `m${fCnt}` });
const taken = (sessions: Sessions, ...frames: readonly number[]): Sessions =>
  frames.reduce((before, fCnt) => observe(before, frame(fCnt)).taken, sessions);

describe('sessions', () => {
  const load = async () =>
    (await world.sessions().load(['a', 'b'], plentyOfTime)).known.get('a') ?? NO_SESSIONS;

  it('are what was saved', async () => {
    const sessions = taken([], 1, 2, 5);
    const change = { device: 'a', sessions, revision: 0, upTo: '7' };
    await world.sessions().save([change], plentyOfTime);
    expect(await load()).toEqual({ sessions, revision: 1, upTo: '7' });
  });

  it('that two containers save at once hold what either of them took', async () => {
    const before = taken([], 1);
    await world.sessions().save([{ device: 'a', sessions: before, revision: 0 }], plentyOfTime);
    const changes = [
      { device: 'a', sessions: taken(before, 2, 3), revision: 1, upTo: '10' },
      { device: 'a', sessions: taken(before, 7), revision: 1, upTo: '9' },
    ];
    for (const change of changes) {
      expect(await world.sessions().save([change], plentyOfTime)).toEqual([]);
    }
    const { sessions, revision, upTo } = await load();
    expect({ revision, upTo }).toEqual({ revision: 3, upTo: '10' });
    const verdicts = [1, 2, 3, 4, 7].map((fCnt) => observe(sessions, frame(fCnt)).verdict);
    expect(verdicts).toEqual(['seen', 'seen', 'seen', 'new', 'seen']);
  });
});

describe('payload keys', () => {
  const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const keysOf = (purpose: 'envelope' | 'frm' = 'envelope') =>
    world.keys().keysOf([DEV_EUI, 'ffffffffffffffff'], purpose, plentyOfTime);

  it('come back as they were put, for their device and purpose', async () => {
    await world.desk.putKey(world.kms, DEV_EUI, 'envelope', KEY);
    const { keys, failures } = await keysOf();
    expect([...keys].map(([device, key]) => [device, Buffer.from(key)])).toEqual([[DEV_EUI, KEY]]);
    expect(failures).toEqual([]);
    expect((await keysOf('frm')).keys.size).toBe(0);
  });

  it('are kept encrypted, and do not open for another device', async () => {
    await world.desk.putKey(world.kms, DEV_EUI, 'envelope', KEY);
    const { found } = await world.codecs.payloadKeys([DEV_EUI], 'envelope', plentyOfTime);
    const ciphertext = found.get(DEV_EUI) ?? '';
    expect(Buffer.from(ciphertext, 'base64').includes(KEY)).toBe(false);
    const { pk, sk } = payloadKeyKey('ffffffffffffffff', 'envelope');
    await world.db.send(
      new PutItemCommand({
        TableName: 'tributary-dev-codecs',
        Item: { pk: { S: pk }, sk: { S: sk }, body: { S: JSON.stringify({ ciphertext }) } },
      }),
    );
    expect([...(await keysOf()).keys.keys()]).toEqual([DEV_EUI]);
  });

  it('are asked for once in five minutes', async () => {
    await world.desk.putKey(world.kms, DEV_EUI, 'envelope', KEY);
    const keys = world.keys();
    await keys.keysOf([DEV_EUI], 'envelope', plentyOfTime);
    world.kms.destroy();
    world.db.destroy();
    const again = await keys.keysOf([DEV_EUI], 'envelope', plentyOfTime);
    expect(again.keys.size).toBe(1);
    world.clock.ms += 5 * 60_000;
    await world.desk.putKey(
      world.kms,
      DEV_EUI,
      'envelope',
      KEY.map((byte) => byte + 1),
    );
    const later = await keys.keysOf([DEV_EUI], 'envelope', plentyOfTime);
    expect(later.keys.get(DEV_EUI)?.[0]).toBe(1);
  });
});
