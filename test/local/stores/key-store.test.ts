import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createKeyStore, type KeyState } from '../../../local/stores/key-store.ts';

const ARN = 'arn:aws:kms:eu-central-1:000000000000:';
const text = (value: string) => Buffer.from(value);

function setup(state: KeyState = 'Enabled') {
  const store = createKeyStore({ now: () => 1000 });
  store.create({ keyId: 'k1', arn: `${ARN}key/k1`, state });
  store.create({ keyId: 'k2', arn: `${ARN}key/k2` });
  store.createAlias({ name: 'alias/tributary-dev', arn: `${ARN}alias/tributary-dev`, keyId: 'k1' });
  return store;
}

describe('a key', () => {
  it.each(['k1', `${ARN}key/k1`, 'alias/tributary-dev', `${ARN}alias/tributary-dev`])(
    'is found by %s',
    (reference) => {
      expect(setup().resolve(reference)).toMatchObject({ keyId: 'k1', state: 'Enabled' });
    },
  );

  it('decrypts what it encrypted under the same context, in whatever order', () => {
    const store = setup();
    const sealed = store.encrypt('k1', text('secret'), { a: '1', b: '2' });
    const { key, plaintext } = store.decrypt(sealed, { b: '2', a: '1' });
    expect({ keyId: key.keyId, text: Buffer.from(plaintext).toString() }).toEqual({
      keyId: 'k1',
      text: 'secret',
    });
  });

  it.each([
    { what: 'another context', context: { a: '2' } },
    { what: 'no context', context: {} },
    { what: 'more context', context: { a: '1', b: '' } },
  ])('refuses $what', ({ context }) => {
    const store = setup();
    const sealed = store.encrypt('k1', text('secret'), { a: '1' });
    expect(() => store.decrypt(sealed, { ...context })).toThrow(
      expect.objectContaining({ code: 'InvalidCiphertextException' }),
    );
  });

  it('refuses every change of a ciphertext, and any bytes that are none', () => {
    const store = setup();
    const sealed = store.encrypt('k1', text('secret'));
    fc.assert(
      fc.property(
        fc.nat({ max: sealed.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const changed = Uint8Array.from(sealed);
          changed[at] = (changed[at] ?? 0) ^ flip;
          expect(() => store.decrypt(changed)).toThrow(/damaged/);
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => store.decrypt(bytes)).toThrow(/damaged/);
      }),
    );
  });

  it.each([
    { state: 'Disabled' as const, code: 'DisabledException' },
    { state: 'PendingDeletion' as const, code: 'KMSInvalidStateException' },
  ])('that is $state is of no use', ({ state, code }) => {
    const store = setup();
    const sealed = store.encrypt('k1', text('x'));
    store.create({ keyId: 'k1', arn: `${ARN}key/k1`, state });
    expect(() => store.encrypt('k1', text('x'))).toThrow(expect.objectContaining({ code }));
    expect(() => store.decrypt(sealed)).toThrow(expect.objectContaining({ code }));
    expect(store.resolve('k1').state).toBe(state);
  });

  it.each(['k9', `${ARN}key/k9`, 'alias/other'])(
    '%s that nobody made is not found',
    (reference) => {
      expect(() => setup().encrypt(reference, text('x'))).toThrow(
        expect.objectContaining({ code: 'NotFoundException' }),
      );
    },
  );

  it('never shows its material', () => {
    expect(Object.keys(setup().resolve('k1'))).not.toContain('material');
  });
});

describe('with a directory', () => {
  it('keys outlive the process, in files that only their owner reads', () => {
    const directory = mkdtempSync(join(tmpdir(), 'keys-'));
    const start = () => createKeyStore({ now: () => 1000, directory });
    try {
      const first = start();
      first.create({ keyId: 'k1', arn: `${ARN}key/k1` });
      const sealed = first.encrypt('k1', text('kept'));
      const second = start();
      second.create({ keyId: 'k1', arn: `${ARN}key/k1` });
      expect(Buffer.from(second.decrypt(sealed).plaintext).toString()).toBe('kept');
      for (const name of readdirSync(directory)) {
        expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
      }
      writeFileSync(join(directory, 'k1.key.json'), '{"keyId":"k1","material":"c2hvcnQ="}');
      expect(start).toThrow(/k1\.key\.json holds no master key/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
