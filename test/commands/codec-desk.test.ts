import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FailedError } from '../../commands/command.ts';
import { assignmentFor } from '../../shared/core/lorawan/assignment.ts';
import { type CodecWorld, openCodecWorld } from '../support/codec-world.ts';
import { DEV_EUI } from '../support/lorawan-uplinks.ts';
import { plentyOfTime } from '../support/retry-tools.ts';

let world: CodecWorld;
beforeEach(async () => {
  world = await openCodecWorld();
});
afterEach(() => world.close());

const script = (answer: string) => ({
  name: 'thermo',
  kind: 'script' as const,
  source: `function decodeUplink() { return { data: { by: '${answer}' } }; }`,
});

describe('a codec that is put', () => {
  it('is what decode reads, unpacked, and active', async () => {
    await world.desk.put(script('one'), [], undefined);
    const { found } = await world.codecs.pointers(['thermo', 'other'], plentyOfTime);
    expect([...found.values()]).toEqual([
      { name: 'thermo', active: 1, latest: 1, history: [], updatedAtMs: world.clock.ms },
    ]);
    const versions = await world.codecs.versions([{ name: 'thermo', version: 1 }], plentyOfTime);
    expect(versions.found.get('thermo@1')).toMatchObject(script('one'));
  });

  it('of half a megabyte fits, compressed', async () => {
    const source = `// ${'a long table of a vendor, again and again; '.repeat(11_000)}`;
    await world.desk.put({ name: 'long', kind: 'script', source }, [], undefined);
    expect((await world.desk.versionOf('long', 1)).source).toBe(source);
  });

  it('just as it is adds no version', async () => {
    await world.desk.put(script('one'), [], undefined);
    expect(await world.desk.put(script('one'), [], undefined)).toBeUndefined();
  });

  it('as a canary leaves the active version to the others, until it is activated or ended', async () => {
    await world.desk.put(script('one'), [], undefined);
    expect(await world.desk.put(script('two'), [], 10)).toMatchObject({
      active: 1,
      latest: 2,
      canary: { version: 2, percent: 10 },
    });
    expect(await world.desk.activate('thermo', 2)).toEqual({
      name: 'thermo',
      active: 2,
      latest: 2,
      history: [1],
      updatedAtMs: world.clock.ms,
    });
  });

  it('can be rolled back: the canary first, then version by version', async () => {
    await world.desk.put(script('one'), [], undefined);
    await world.desk.put(script('two'), [], undefined);
    await world.desk.put(script('three'), [], 50);
    expect(await world.desk.rollback('thermo')).not.toHaveProperty('canary');
    expect(await world.desk.rollback('thermo')).toMatchObject({ active: 1, history: [] });
    await expect(world.desk.rollback('thermo')).rejects.toThrow(FailedError);
    expect(await world.desk.put(script('four'), [], undefined)).toMatchObject({ active: 4 });
  });

  it('is refused as a canary with nothing beside it, and activated only where it is', async () => {
    await expect(world.desk.put(script('one'), [], 10)).rejects.toThrow(FailedError);
    await expect(world.desk.activate('thermo', 1)).rejects.toThrow('There is no codec thermo');
  });
});

describe('an assignment', () => {
  const known = async () => world.codecs.assignments(plentyOfTime);
  const fleetOf = async (devEui: string, entryOf: { joinEui?: string; profile?: string } = {}) =>
    assignmentFor(await known(), { entry: entryOf, devEui, joinEui: undefined })?.fleet;
  const many = (sk: string) => ({ kind: 'many', sk }) as const;

  it('that is nearest holds: profile, narrowest range, JoinEUI, all others', async () => {
    const assign = (sk: string, fleet: string) =>
      world.desk.assign(many(sk), { codec: 'cbor' }, { fleet });
    await assign('other', 'rest');
    await assign('joinEui#70b3d57ed0000000', 'joined');
    await assign('range#a817580000000000#a81758ffffffffff', 'wide');
    await assign('range#a81758fffe034600#a81758fffe0346ff', 'narrow');
    await assign('profile#meters', 'metered');
    expect(await fleetOf(DEV_EUI, { profile: 'meters' })).toBe('metered');
    expect(await fleetOf(DEV_EUI)).toBe('narrow');
    expect(await fleetOf('a817580000000001')).toBe('wide');
    expect(await fleetOf('0000000000000001', { joinEui: '70b3d57ed0000000' })).toBe('joined');
    expect(await fleetOf('0000000000000001')).toBe('rest');
  });

  it('of a device is its own, and keeps what else is known of it', async () => {
    await world.desk.describe(DEV_EUI, { thing: 'cellar-1', profile: 'meters' });
    await world.desk.assign({ kind: 'device', id: DEV_EUI }, { codec: 'json' }, { fleet: 'wine' });
    const { found } = await world.codecs.entries([DEV_EUI, 'unknown'], plentyOfTime);
    expect([...found]).toEqual([
      [
        DEV_EUI,
        {
          thing: 'cellar-1',
          profile: 'meters',
          assignment: { fleet: 'wine', codecs: [{ codec: 'json' }], encryption: 'none' },
        },
      ],
    ]);
  });

  it('grows by choices for FPorts, which come before the one for all', async () => {
    const other = many('other');
    await world.desk.assign(other, { codec: 'json' }, { fleet: 'acme' });
    await world.desk.assign(other, { codec: 'cbor', fPorts: [2] }, {});
    const assignment = await world.desk.assign(other, { codec: 'cayenne-lpp' }, {});
    expect(assignment).toEqual({
      fleet: 'acme',
      encryption: 'none',
      codecs: [{ codec: 'cbor', fPorts: [2] }, { codec: 'cayenne-lpp' }],
    });
  });

  it('wants a fleet', async () => {
    await expect(world.desk.assign(many('other'), { codec: 'json' }, {})).rejects.toThrow(
      '--fleet',
    );
  });

  it('is listed with codecs and devices', async () => {
    await world.desk.put(script('one'), [], undefined);
    await world.desk.assign(many('other'), { codec: 'thermo' }, { fleet: 'acme' });
    await world.desk.describe(DEV_EUI, { thing: 'cellar-1' });
    expect(await world.desk.list()).toMatchObject({
      pointers: [{ name: 'thermo' }],
      assignments: [{ of: 'other', assignment: { fleet: 'acme' } }],
      devices: [{ device: DEV_EUI, entry: { thing: 'cellar-1' } }],
    });
  });
});
