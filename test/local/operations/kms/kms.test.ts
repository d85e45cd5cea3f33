import {
  DecryptCommand,
  DescribeKeyCommand,
  DryRunOperationException,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  IncorrectKeyException,
  InvalidCiphertextException,
  KMSClient,
  ListAliasesCommand,
  NotFoundException,
} from '@aws-sdk/client-kms';
import { afterEach, describe, expect, it } from '@jest/globals';
import { kmsOperations } from '../../../../local/operations/kms/index.ts';
import { createKeyStore } from '../../../../local/stores/key-store.ts';
import { ACCOUNT, clientOf, FUNCTION_KEY, REGION, serve } from '../endpoint.ts';

const ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:`;
const KeyId = 'alias/tributary-dev';
const Plaintext = Buffer.from('secret');

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function setup(options: Parameters<typeof serve>[1] = {}) {
  const keys = createKeyStore({ now: () => 1_700_000_000_000 });
  keys.create({ keyId: 'k1', arn: `${ARN}key/k1`, description: 'data' });
  keys.create({ keyId: 'k2', arn: `${ARN}key/k2` });
  keys.createAlias({ name: KeyId, arn: `${ARN}${KeyId}`, keyId: 'k1' });
  const server = await serve(kmsOperations({ keys, accountId: ACCOUNT }), options);
  const kms = new KMSClient(clientOf(server.url));
  const asFunction = new KMSClient(clientOf(server.url, FUNCTION_KEY));
  cleanUps.push(async () => {
    kms.destroy();
    asFunction.destroy();
    await server.close();
  });
  return { kms, asFunction, keys, needs: server.needs };
}

describe('a key', () => {
  it('encrypts and decrypts under an encryption context', async () => {
    const { kms } = await setup();
    const EncryptionContext = { thing: 'probe-1' };
    const { CiphertextBlob, KeyId: arn } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext }),
    );
    expect(arn).toBe(`${ARN}key/k1`);
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('secret');
    const wrong = kms.send(new DecryptCommand({ CiphertextBlob }));
    await expect(wrong).rejects.toBeInstanceOf(InvalidCiphertextException);
    const other = kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: 'k2' }));
    await expect(other).rejects.toBeInstanceOf(IncorrectKeyException);
  });

  it.each([
    { input: { KeySpec: 'AES_256' as const }, bytes: 32 },
    { input: { KeySpec: 'AES_128' as const }, bytes: 16 },
    { input: { NumberOfBytes: 64 }, bytes: 64 },
  ])(
    'makes a data key of $bytes bytes for $input, which only it opens',
    async ({ input, bytes }) => {
      const { kms } = await setup();
      const made = await kms.send(new GenerateDataKeyCommand({ KeyId, ...input }));
      expect(made.Plaintext).toHaveLength(bytes);
      const opened = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
      expect(opened.Plaintext).toEqual(made.Plaintext);
    },
  );

  it('makes a data key without showing it', async () => {
    const { kms } = await setup();
    const made = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }),
    );
    expect(made).not.toHaveProperty('Plaintext');
    expect(made.CiphertextBlob?.length).toBeGreaterThan(32);
  });

  it('is described under each of its names, and by its aliases', async () => {
    const { kms } = await setup();
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: `${ARN}${KeyId}` }));
    expect(KeyMetadata).toMatchObject({
      KeyId: 'k1',
      Arn: `${ARN}key/k1`,
      Description: 'data',
      KeyState: 'Enabled',
      CreationDate: new Date(1_700_000_000_000),
    });
    const { Aliases } = await kms.send(new ListAliasesCommand({ KeyId: 'k1' }));
    expect(Aliases).toMatchObject([{ AliasName: KeyId, TargetKeyId: 'k1' }]);
    expect((await kms.send(new ListAliasesCommand({ KeyId: 'k2' }))).Aliases).toEqual([]);
  });

  it.each([
    { state: 'Disabled' as const, name: 'DisabledException' },
    { state: 'PendingDeletion' as const, name: 'KMSInvalidStateException' },
  ])('that is $state refuses with $name', async ({ state, name }) => {
    const { kms, keys } = await setup();
    keys.create({ keyId: 'k1', arn: `${ARN}key/k1`, state });
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext }))).rejects.toMatchObject({
      name,
    });
  });
});

describe('what is refused', () => {
  it('a key nobody made', async () => {
    const { kms } = await setup();
    const encrypt = kms.send(new EncryptCommand({ KeyId: 'alias/nobody', Plaintext }));
    await expect(encrypt).rejects.toBeInstanceOf(NotFoundException);
  });

  it('a ciphertext that is none', async () => {
    const { kms } = await setup();
    const decrypt = kms.send(new DecryptCommand({ CiphertextBlob: Uint8Array.of(1, 2, 3) }));
    await expect(decrypt).rejects.toBeInstanceOf(InvalidCiphertextException);
  });

  it.each([
    { what: 'more than 4096 bytes', input: { Plaintext: Buffer.alloc(4097) }, says: /4096/ },
    { what: 'grant tokens', input: { GrantTokens: ['t'] }, says: /GrantTokens/ },
    {
      what: 'an asymmetric algorithm',
      input: { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' as const },
      says: /symmetric/,
    },
  ])('to encrypt with $what', async ({ input, says }) => {
    const { kms } = await setup();
    await expect(kms.send(new EncryptCommand({ KeyId, Plaintext, ...input }))).rejects.toThrow(
      says,
    );
  });

  it('both or neither of KeySpec and NumberOfBytes', async () => {
    const { kms } = await setup();
    await expect(kms.send(new GenerateDataKeyCommand({ KeyId }))).rejects.toThrow(/either/);
  });

  it('a dry run, at its end', async () => {
    const { kms } = await setup();
    const dry = kms.send(new EncryptCommand({ KeyId, Plaintext, DryRun: true }));
    await expect(dry).rejects.toBeInstanceOf(DryRunOperationException);
  });
});

describe('a function', () => {
  it('needs the grant on the key itself, whatever name it calls it by', async () => {
    const { asFunction, needs } = await setup();
    const EncryptionContext = { thing: 'probe-1' };
    const { CiphertextBlob } = await asFunction.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext }),
    );
    await asFunction.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(needs).toEqual([
      {
        action: 'kms:Encrypt',
        resource: `${ARN}key/k1`,
        context: {
          'kms:EncryptionContext:thing': 'probe-1',
          'kms:EncryptionContextKeys': ['thing'],
          'kms:RequestAlias': KeyId,
        },
      },
      {
        action: 'kms:Decrypt',
        resource: `${ARN}key/k1`,
        context: {
          'kms:EncryptionContext:thing': 'probe-1',
          'kms:EncryptionContextKeys': ['thing'],
        },
      },
    ]);
  });

  it('without the grant is refused, by name', async () => {
    const { asFunction } = await setup({ denied: ['kms:Encrypt'] });
    const encrypt = asFunction.send(new EncryptCommand({ KeyId, Plaintext }));
    await expect(encrypt).rejects.toThrow(/kms:Encrypt/);
  });
});
