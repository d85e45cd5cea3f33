import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { deviceSecrets } from '../../../../shared/adapters/access/device-secrets.ts';
import { peppers } from '../../../../shared/adapters/access/pepper.ts';
import { secretDesk } from '../../../../shared/adapters/access/secret-desk.ts';
import { secretTable } from '../../../../shared/adapters/access/secret-table.ts';
import { eachAccessWorld, KEYS, TABLE } from '../../../support/access-world.ts';

const access = eachAccessWorld();

function setup() {
  const table = secretTable(access.world.db, TABLE);
  const pepper = peppers(
    access.world.kms,
    table,
    { keyId: access.world.keyId, tableName: TABLE },
    access.world.now,
  );
  const desk = secretDesk({ table, pepper, randomBytes, now: access.world.now });
  return { table, pepper, desk, whose: deviceSecrets(table, pepper, access.world.now) };
}

/** How often the pepper's key was asked; the table has a key of its own. */
const openings = (): number =>
  access.world.needs.filter(
    ({ action, resource }) => action === 'kms:Decrypt' && resource === KEYS.pepper,
  ).length;

describe('a device secret', () => {
  it('is issued once and known from then on', async () => {
    const { desk, whose } = setup();
    const { text } = await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    expect(await whose(text)).toMatchObject({ thing: 'probe-1', fleet: 'acme' });
  });

  it('is refused from the next question on, once it was revoked', async () => {
    const { desk, whose } = setup();
    const { id, text } = await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    await whose(text);
    await desk.revoke(id);
    await expect(whose(text)).rejects.toMatchObject({ code: 'REVOKED_SECRET' });
  });

  it('ends when it was issued to', async () => {
    const { desk, whose } = setup();
    const expiresAtMs = access.world.clock.ms + 1_000;
    const { text } = await desk.issue({ thing: 'probe-1', fleet: 'acme', expiresAtMs });
    expect(await whose(text)).toMatchObject({ expiresAtMs });
    access.world.clock.ms += 1_000;
    await expect(whose(text)).rejects.toMatchObject({ code: 'EXPIRED' });
  });

  it('cannot be revoked that was never issued', async () => {
    await expect(setup().desk.revoke('A'.repeat(22))).rejects.toThrow();
  });

  it('that nobody issued is looked for in the same way as one that was', async () => {
    const { desk, whose } = setup();
    const { text } = await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    const actions = async (secret: string) => {
      const before = access.world.needs.length;
      await whose(secret).catch(() => undefined);
      return access.world.needs.slice(before).map(({ action }) => action);
    };
    const made = `trs1_${'A'.repeat(22)}_${'B'.repeat(43)}`;
    expect(await actions(made)).toEqual(await actions(text));
  });
});

describe('the pepper', () => {
  it('is made with the first secret, and shared by those who begin at once', async () => {
    const [first, second] = [setup(), setup()];
    const [one, other] = await Promise.all([
      first.desk.issue({ thing: 'probe-1', fleet: 'acme' }),
      second.desk.issue({ thing: 'probe-2', fleet: 'acme' }),
    ]);
    const { whose } = setup();
    expect(await whose(one.text)).toMatchObject({ thing: 'probe-1' });
    expect(await whose(other.text)).toMatchObject({ thing: 'probe-2' });
  });

  it('is opened once an hour by each container', async () => {
    const { desk } = setup();
    const { text } = await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    const { whose } = setup();
    const before = openings();
    await whose(text);
    await whose(text);
    expect(openings() - before).toBe(1);
    access.world.clock.ms += 3_600_000;
    await whose(text);
    expect(openings() - before).toBe(2);
  });

  it('is nowhere in the clear, nor is the secret', async () => {
    const { desk, table, pepper } = setup();
    const { text, id } = await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    const open = Buffer.from(await pepper.open(1));
    const sealed = Buffer.from((await table.sealedPepper(1)) ?? []);
    expect(sealed.length).toBeGreaterThan(32);
    expect(sealed.includes(open)).toBe(false);
    expect(JSON.stringify(await table.find(id))).not.toContain(text.slice(28));
  });

  it('is not opened for another table', async () => {
    const { desk, table } = setup();
    await desk.issue({ thing: 'probe-1', fleet: 'acme' });
    const elsewhere = { keyId: access.world.keyId, tableName: 'tributary-prod-credentials' };
    await expect(
      peppers(access.world.kms, table, elsewhere, access.world.now).open(1),
    ).rejects.toThrow();
  });
});
