import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

type Resolve = (tools: { resolveVariable: (name: string) => Promise<string> }) => Promise<string>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signing-key-'));
  mkdirSync(join(folder, 'resources'));
  cpSync('resources/token-signing-key.cjs', join(folder, 'resources/token-signing-key.cjs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The key as the packager gets it, for stage dev in that folder. */
const keyFor = (parameter: string): Promise<string> => {
  const resolve = createRequire(import.meta.url)(
    join(folder, 'resources/token-signing-key.cjs'),
  ) as Resolve;
  const values: Readonly<Record<string, string>> = {
    'param:tokenSigningPublicKey': parameter,
    'sls:stage': 'dev',
  };
  return resolve({ resolveVariable: async (name) => values[name] ?? '' });
};

const derOf = (key: ReturnType<typeof createPublicKey>): string =>
  key.export({ type: 'spki', format: 'der' }).toString('base64');

describe('the key that tokens are signed with', () => {
  it('is the one that was given', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = await keyFor(derOf(publicKey));
    expect(createPublicKey(pem).equals(publicKey)).toBe(true);
    expect(existsSync(join(folder, '.tributary'))).toBe(false);
  });

  it('is made once for a stage where none was given, its private half readable by its owner only', async () => {
    const first = await keyFor('generated');
    expect(await keyFor('generated')).toBe(first);
    expect(createPublicKey(first).asymmetricKeyDetails?.modulusLength).toBe(2048);
    const file = join(folder, '.tributary/token-signing/dev/private.key');
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it.each([
    { what: 'nothing', key: '' },
    { what: 'a word', key: 'public' },
    {
      what: 'too short',
      key: derOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
    },
    {
      what: 'of another kind',
      key: derOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    },
  ])('is refused when it is $what', async ({ key }) => {
    await expect(keyFor(key)).rejects.toThrow('Parameter tokenSigningPublicKey wants an RSA');
  });
});
