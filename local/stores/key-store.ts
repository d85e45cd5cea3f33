import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { AwsError } from '../operations/operation.ts';

export const KeyState = z.enum(['Enabled', 'Disabled', 'PendingDeletion']);
export type KeyState = z.infer<typeof KeyState>;

export interface KeySpec {
  readonly keyId: string;
  readonly arn: string;
  readonly description?: string;
  readonly state?: KeyState;
}

export interface Key {
  readonly keyId: string;
  readonly arn: string;
  readonly description: string;
  readonly state: KeyState;
  readonly createdAtMs: number;
}

export interface Alias {
  /** With its prefix: `alias/tributary-dev`. */
  readonly name: string;
  readonly arn: string;
  readonly keyId: string;
  readonly createdAtMs: number;
}

/** What binds a ciphertext to its purpose: the same pairs must be given to decrypt it. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** Symmetric KMS keys. Errors are `AwsError` with KMS's codes; master keys never leave the store. */
export interface KeyStore {
  /** Makes the key, or gives one that exists this description and state; its material stays. */
  create(spec: KeySpec): void;
  /** Points the alias at a key, also where it pointed at another. */
  createAlias(alias: { readonly name: string; readonly arn: string; readonly keyId: string }): void;
  aliases(): Alias[];
  /** @param reference  key id, key ARN, alias name or alias ARN */
  resolve(reference: string): Key;
  encrypt(reference: string, plaintext: Uint8Array, context?: EncryptionContext): Uint8Array;
  decrypt(
    ciphertext: Uint8Array,
    context?: EncryptionContext,
  ): { readonly key: Key; readonly plaintext: Uint8Array };
  /** The key a ciphertext says it is under, before anything is decrypted. */
  keyOf(ciphertext: Uint8Array): Key;
  randomBytes(count: number): Uint8Array;
}

interface StoredKey extends Key {
  readonly material: Uint8Array;
}

const KeyFile = z.object({
  keyId: z.string(),
  arn: z.string(),
  description: z.string(),
  state: KeyState,
  createdAtMs: z.number(),
  /** 256 bits, base64. */
  material: z.string().refine((text) => Buffer.from(text, 'base64').length === 32, 'not 256 bits'),
});

const KEY_FILE_SUFFIX = '.key.json';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT_VERSION = 1;

/**
 * @param now        milliseconds since the Unix epoch
 * @param directory  where master keys are kept, in files only their owner can read; memory only without
 * @param random     random bytes for keys and nonces
 */
export function createKeyStore({
  now,
  directory,
  random = randomBytes,
}: {
  readonly now: () => number;
  readonly directory?: string;
  readonly random?: (count: number) => Uint8Array;
}): KeyStore {
  const keys = new Map(loadKeys(directory).map((key) => [key.keyId, key]));
  const aliases = new Map<string, Alias>();

  const find = (keyId: string, asked: string): StoredKey => {
    const key = keys.get(keyId);
    if (key !== undefined) return key;
    throw new AwsError('NotFoundException', `Key '${asked}' does not exist`);
  };

  const resolve = (reference: string): StoredKey => {
    const local = reference.startsWith('arn:') ? (reference.split(':')[5] ?? '') : reference;
    if (!local.startsWith('alias/')) return find(local.replace(/^key\//, ''), reference);
    const alias = aliases.get(local);
    if (alias !== undefined) return find(alias.keyId, reference);
    throw new AwsError('NotFoundException', `Alias ${reference} is not found.`);
  };

  const keyOf = (ciphertext: Uint8Array): StoredKey => {
    const key = keys.get(parseCiphertext(ciphertext).keyId);
    if (key === undefined) throw invalidCiphertext();
    return key;
  };

  return {
    create({ keyId, arn, description = '', state = 'Enabled' }) {
      const known = keys.get(keyId);
      const material = known?.material ?? random(32);
      const key = {
        keyId,
        arn,
        description,
        state,
        createdAtMs: known?.createdAtMs ?? now(),
        material,
      };
      if (directory !== undefined) saveKey(directory, key);
      keys.set(keyId, key);
    },

    createAlias(alias) {
      if (!/^alias\/[a-zA-Z0-9/_-]{1,250}$/.test(alias.name)) {
        throw new AwsError(
          'InvalidAliasNameException',
          `${JSON.stringify(alias.name)} is no alias: alias/, then letters, digits, / _ and -.`,
        );
      }
      find(alias.keyId, alias.keyId);
      aliases.set(alias.name, { ...alias, createdAtMs: now() });
    },

    aliases: () => [...aliases.values()],
    resolve: (reference) => shown(resolve(reference)),
    keyOf: (ciphertext) => shown(keyOf(ciphertext)),

    encrypt(reference, plaintext, context = {}) {
      const key = resolve(reference);
      checkUsable(key);
      const header = ciphertextHeader(key.keyId);
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key.material, nonce);
      cipher.setAAD(Buffer.concat([header, contextBytes(context)]));
      const sealed = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat([header, nonce, ...sealed]);
    },

    decrypt(ciphertext, context = {}) {
      const key = keyOf(ciphertext);
      checkUsable(key);
      const { header, nonce, sealed, tag } = parseCiphertext(ciphertext);
      const decipher = createDecipheriv(CIPHER, key.material, nonce);
      decipher.setAAD(Buffer.concat([header, contextBytes(context)]));
      decipher.setAuthTag(tag);
      const opened = decipher.update(sealed);
      try {
        return { key: shown(key), plaintext: Buffer.concat([opened, decipher.final()]) };
      } catch {
        throw invalidCiphertext();
      }
    },

    randomBytes: random,
  };
}

const shown = ({ keyId, arn, description, state, createdAtMs }: StoredKey): Key => ({
  keyId,
  arn,
  description,
  state,
  createdAtMs,
});

/** Says nothing of the reason, as KMS: a wrong context looks like a damaged ciphertext. */
const invalidCiphertext = (): AwsError =>
  new AwsError(
    'InvalidCiphertextException',
    'The ciphertext is damaged, of no key here, or its encryption context is not the one it was encrypted with.',
  );

function checkUsable({ arn, state }: Key): void {
  if (state === 'Disabled') throw new AwsError('DisabledException', `${arn} is disabled.`);
  if (state === 'PendingDeletion') {
    throw new AwsError('KMSInvalidStateException', `${arn} is pending deletion.`);
  }
}

const ciphertextHeader = (keyId: string): Buffer => {
  const id = Buffer.from(keyId);
  return Buffer.concat([Uint8Array.of(FORMAT_VERSION, id.length), id]);
};

/** Layout: version, length of key id, key id, nonce, sealed bytes, tag. */
function parseCiphertext(ciphertext: Uint8Array) {
  const bytes = Buffer.from(ciphertext);
  const headerBytes = 2 + (bytes[1] ?? 0);
  if (bytes[0] !== FORMAT_VERSION || bytes.length < headerBytes + NONCE_BYTES + TAG_BYTES) {
    throw invalidCiphertext();
  }
  const body = bytes.subarray(headerBytes + NONCE_BYTES);
  return {
    header: bytes.subarray(0, headerBytes),
    keyId: bytes.toString('utf8', 2, headerBytes),
    nonce: bytes.subarray(headerBytes, headerBytes + NONCE_BYTES),
    sealed: body.subarray(0, -TAG_BYTES),
    tag: body.subarray(-TAG_BYTES),
  };
}

/** The pairs in one order, whatever order they came in. */
const contextBytes = (context: EncryptionContext): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

function loadKeys(directory: string | undefined): StoredKey[] {
  if (directory === undefined) return [];
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  return readdirSync(directory)
    .filter((name) => name.endsWith(KEY_FILE_SUFFIX))
    .map((name) => loadKey(join(directory, name)));
}

function loadKey(path: string): StoredKey {
  const text = readFileSync(path, 'utf8');
  const parsed = KeyFile.safeParse(jsonOrUndefined(text));
  // without the cause: it could quote the key
  if (!parsed.success) throw new Error(`${path} holds no master key: restore it or remove it`);
  return { ...parsed.data, material: Buffer.from(parsed.data.material, 'base64') };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function saveKey(directory: string, key: StoredKey): void {
  const content: z.infer<typeof KeyFile> = {
    ...shown(key),
    material: Buffer.from(key.material).toString('base64'),
  };
  const path = join(directory, `${key.keyId}${KEY_FILE_SUFFIX}`);
  writeFileSync(path, `${JSON.stringify(content)}\n`, { mode: 0o600, flush: true });
}
