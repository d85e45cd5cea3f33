import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  makeSecret,
  NO_SECRET,
  secretId,
  verifySecret,
} from '../../../../shared/core/access/device-secret.ts';

const NOW_MS = 1_790_000_000_000;
const pepper = { version: 1, bytes: randomBytes(32) };
const owner = { thing: 'probe-1', fleet: 'acme', createdAtMs: NOW_MS };
const make = (change = {}) => makeSecret({ ...owner, ...change }, pepper, randomBytes);

describe('a device secret', () => {
  it('is known by its record, which does not hold it', () => {
    const { text, kept } = make();
    expect(secretId(text)).toBe(kept.id);
    expect(verifySecret(text, kept, pepper.bytes, NOW_MS)).toMatchObject({
      thing: 'probe-1',
      fleet: 'acme',
    });
    expect(JSON.stringify(kept)).not.toContain(text.slice(28));
  });

  it('has 128 bits to be found by and 256 to be believed, and is never made twice', () => {
    const drawn: number[] = [];
    makeSecret(owner, pepper, (count) => {
      drawn.push(count);
      return randomBytes(count);
    });
    expect(drawn).toEqual([16, 32]);
    expect(new Set(Array.from({ length: 1_000 }, () => make().text)).size).toBe(1_000);
  });

  it.each([
    { what: 'of another device', change: () => make().text },
    {
      what: 'with its last character changed',
      change: (text: string) => `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`,
    },
    {
      what: 'with its first character changed',
      change: (text: string) =>
        text.replace(/_(.)(.{42})$/, (_a, b, c) => `_${b === 'A' ? 'B' : 'A'}${c}`),
    },
  ])('is not another $what', ({ change }) => {
    const { text, kept } = make();
    expect(() => verifySecret(change(text), kept, pepper.bytes, NOW_MS)).toThrow('UNKNOWN_SECRET');
  });

  it('is worth nothing under another pepper, revoked, or at its end', () => {
    const { text, kept } = make({ expiresAtMs: NOW_MS + 1 });
    const ask = (change: object, bytes: Uint8Array = pepper.bytes, atMs = NOW_MS) =>
      verifySecret(text, { ...kept, ...change }, bytes, atMs);
    expect(ask({})).toMatchObject({ expiresAtMs: NOW_MS + 1 });
    expect(() => ask({}, randomBytes(32))).toThrow('UNKNOWN_SECRET');
    expect(() => ask({ status: 'revoked' })).toThrow('REVOKED_SECRET');
    expect(() => ask({}, pepper.bytes, NOW_MS + 1)).toThrow('EXPIRED');
  });

  it('belongs to nobody when there is no record', () => {
    expect(() => verifySecret(make().text, NO_SECRET, pepper.bytes, NOW_MS)).toThrow(
      'UNKNOWN_SECRET',
    );
  });

  it.each([
    'hunter2',
    'correct horse battery staple',
    '',
    'trs1_hunter2',
    `trs1_${'a'.repeat(22)}_${'b'.repeat(42)}`,
    `trs2_${'a'.repeat(22)}_${'b'.repeat(43)}`,
    `trs1_${'a'.repeat(22)}_${'b'.repeat(42)}!`,
  ])('is not what a person chooses: %j', (password) => {
    expect(() => secretId(password)).toThrow('MALFORMED_SECRET');
  });
});
