import { createPublicKey } from 'node:crypto';
import type { Authorizer } from '../core/authorizer/index.ts';
import { found, RegistryError } from '../core/registry/index.ts';

/** An authorizer as it is asked for. */
export interface AuthorizerRequest {
  readonly name: string;
  readonly functionArn: string;
  readonly tokenKeyName?: string | undefined;
  readonly signingKeys?: Readonly<Record<string, string>> | undefined;
  readonly signingDisabled?: boolean | undefined;
  readonly status?: 'ACTIVE' | 'INACTIVE' | undefined;
  readonly enableCachingForHttp?: boolean | undefined;
}

/** What may change later; whether tokens are signed may not. */
export type AuthorizerChange = Omit<
  AuthorizerRequest,
  'name' | 'signingDisabled' | 'functionArn'
> & {
  readonly functionArn?: string | undefined;
};

/** The custom authorizers, in memory: those of the template are declared anew at each start. */
export interface AuthorizerStore {
  /** @throws {RegistryError} `ResourceAlreadyExistsException`, `InvalidRequestException` */
  create(asked: AuthorizerRequest): Authorizer;
  /** @throws {RegistryError} `ResourceNotFoundException`, `InvalidRequestException` */
  update(name: string, change: AuthorizerChange): Authorizer;
  /** @throws {RegistryError} `DeleteConflictException` for one that is active or the default */
  remove(name: string): void;
  find(name: string): Authorizer | undefined;
  list(): readonly Authorizer[];
  /** The one that the account's own endpoint falls to. */
  defaultName(): string | undefined;
  setDefault(name: string): Authorizer;
  clearDefault(): void;
  arn(name: string): string;
}

export interface AuthorizerStoreOptions {
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
}

const invalid = (problem: string): RegistryError =>
  new RegistryError('InvalidRequestException', problem);

export function createAuthorizerStore({
  accountId,
  region,
  now,
}: AuthorizerStoreOptions): AuthorizerStore {
  const authorizers = new Map<string, Authorizer>();
  let standard: string | undefined;
  const arn = (name: string): string => `arn:aws:iot:${region}:${accountId}:authorizer/${name}`;
  const known = (name: string): Authorizer => found(authorizers.get(name), 'authorizer', name);
  const keep = (authorizer: Authorizer): Authorizer => {
    check(authorizer);
    authorizers.set(authorizer.name, authorizer);
    return authorizer;
  };

  return {
    arn,
    find: (name) => authorizers.get(name),
    list: () => [...authorizers.values()],
    defaultName: () => standard,
    create(asked) {
      if (authorizers.has(asked.name)) {
        const text = `authorizer "${asked.name}" exists already`;
        throw new RegistryError('ResourceAlreadyExistsException', text);
      }
      const nowMs = now();
      return keep({
        name: asked.name,
        arn: arn(asked.name),
        functionArn: asked.functionArn,
        ...(asked.tokenKeyName !== undefined && { tokenKeyName: asked.tokenKeyName }),
        signingKeys: asked.signingKeys ?? {},
        signingDisabled: asked.signingDisabled ?? false,
        // AWS does not say what it is where nothing is said; nothing is let in by what was not switched on
        status: asked.status ?? 'INACTIVE',
        enableCachingForHttp: asked.enableCachingForHttp ?? false,
        createdMs: nowMs,
        changedMs: nowMs,
      });
    },
    update(name, change) {
      const before = known(name);
      const given = Object.entries(change).filter(([, value]) => value !== undefined);
      return keep({ ...before, ...Object.fromEntries(given), changedMs: now() });
    },
    remove(name) {
      const { status } = known(name);
      if (status === 'ACTIVE' || standard === name) {
        const text = `authorizer "${name}" is ${status === 'ACTIVE' ? 'ACTIVE' : 'the default one'}`;
        throw new RegistryError('DeleteConflictException', text);
      }
      authorizers.delete(name);
    },
    setDefault(name) {
      const authorizer = known(name);
      standard = name;
      return authorizer;
    },
    clearDefault() {
      if (standard === undefined) {
        throw new RegistryError('ResourceNotFoundException', 'there is no default authorizer');
      }
      standard = undefined;
    },
  };
}

function check({
  name,
  functionArn,
  tokenKeyName,
  signingDisabled,
  signingKeys,
}: Authorizer): void {
  if (!/^[\w=,@-]{1,128}$/.test(name)) throw invalid(`"${name}" is not an authorizer name`);
  if (!/^arn:aws:lambda:[^:]+:\d{12}:function:[^:]+(?::[^:]+)?$/.test(functionArn)) {
    throw invalid(`authorizerFunctionArn "${functionArn}" is not the ARN of a function`);
  }
  if (tokenKeyName !== undefined && !/^[a-zA-Z0-9_-]{1,128}$/.test(tokenKeyName)) {
    throw invalid(`tokenKeyName "${tokenKeyName}" is not made of letters, digits, - and _`);
  }
  if (!signingDisabled && (tokenKeyName === undefined || Object.keys(signingKeys).length === 0)) {
    throw invalid('an authorizer of signed tokens needs tokenKeyName and tokenSigningPublicKeys');
  }
  for (const [key, pem] of Object.entries(signingKeys)) checkKey(key, pem);
}

const LEAST_BITS = 2048;
const MOST_CHARACTERS = 5120;

function checkKey(name: string, pem: string): void {
  if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(name)) throw invalid(`"${name}" is not the name of a key`);
  const bits = pem.length > MOST_CHARACTERS ? undefined : rsaBits(pem);
  if (bits === undefined) throw invalid(`tokenSigningPublicKeys.${name} is not an RSA key in PEM`);
  if (bits < LEAST_BITS) {
    throw invalid(`tokenSigningPublicKeys.${name} has ${bits} bits; ${LEAST_BITS} are the least`);
  }
}

function rsaBits(pem: string): number | undefined {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    return asymmetricKeyType === 'rsa' ? asymmetricKeyDetails?.modulusLength : undefined;
  } catch {
    return undefined;
  }
}
