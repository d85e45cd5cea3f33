import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { Authorizer } from '../core/authorizer/index.ts';
import { found, RegistryError } from '../core/registry/index.ts';
import { createStateWriter, readState, type StateFile } from './state-file.ts';

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

/** The custom authorizers: those that calls made, and those of the template with what calls changed of them. */
export interface AuthorizerStore {
  /**
   * An authorizer of the template, as CloudFormation does it: one that the template has as it had it at the last start
   * stays as calls have left it.
   *
   * @throws {RegistryError} as `create`
   */
  declare(asked: AuthorizerRequest): Authorizer;
  /** Removes those that the template had at the last start, and were not declared at this one. */
  dropUndeclared(): void;
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
  /** Resolves when all is on disk. */
  close(): Promise<void>;
}

const Content = z.object({
  authorizers: z.array(Authorizer),
  /** What the template says of those that are its, by name. */
  declared: z.record(z.string(), z.string()),
  defaultName: z.string().exactOptional(),
});

const fileIn = (directory: string): StateFile<z.infer<typeof Content>> => ({
  path: join(directory, 'authorizers.json'),
  what: 'a list of authorizers',
  schema: Content,
});

export interface AuthorizerStoreOptions {
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
  /** Where `authorizers.json` is kept; without it they live in memory. */
  readonly directory?: string;
}

const invalid = (problem: string): RegistryError =>
  new RegistryError('InvalidRequestException', problem);

/** @throws {StateFileError} when the directory holds authorizers that cannot be read */
export function createAuthorizerStore({
  accountId,
  region,
  now,
  directory,
}: AuthorizerStoreOptions): AuthorizerStore {
  const stored = directory === undefined ? undefined : readState(fileIn(directory));
  const authorizers = new Map(stored?.authorizers.map((one) => [one.name, one]));
  const declaredBefore = new Map(Object.entries(stored?.declared ?? {}));
  const declared = new Map<string, string>();
  let standard = stored?.defaultName;
  const writer =
    directory === undefined
      ? undefined
      : createStateWriter(
          fileIn(directory).path,
          (): z.infer<typeof Content> => ({
            authorizers: [...authorizers.values()],
            declared: Object.fromEntries(declared),
            ...(standard !== undefined && { defaultName: standard }),
          }),
        );
  const arn = (name: string): string => `arn:aws:iot:${region}:${accountId}:authorizer/${name}`;
  const known = (name: string): Authorizer => found(authorizers.get(name), 'authorizer', name);
  const keep = (authorizer: Authorizer): Authorizer => {
    check(authorizer);
    authorizers.set(authorizer.name, authorizer);
    writer?.changed();
    return authorizer;
  };
  const forget = (name: string): void => {
    authorizers.delete(name);
    if (standard === name) standard = undefined;
    writer?.changed();
  };
  const create = (asked: AuthorizerRequest): Authorizer => {
    if (authorizers.has(asked.name)) {
      const text = `authorizer "${asked.name}" exists already`;
      throw new RegistryError('ResourceAlreadyExistsException', text);
    }
    return keep(newAuthorizer(asked, arn(asked.name), now()));
  };

  return {
    arn,
    find: (name) => authorizers.get(name),
    list: () => [...authorizers.values()],
    defaultName: () => standard,
    create,
    declare(asked) {
      const text = JSON.stringify(asked);
      const before = declaredBefore.get(asked.name);
      declared.set(asked.name, text);
      const there = authorizers.get(asked.name);
      if (there !== undefined && before === text) return there;
      if (before === undefined) return create(asked);
      return keep(newAuthorizer(asked, arn(asked.name), now()));
    },
    dropUndeclared() {
      for (const name of declaredBefore.keys()) if (!declared.has(name)) forget(name);
      writer?.changed();
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
      forget(name);
    },
    setDefault(name) {
      const authorizer = known(name);
      standard = name;
      writer?.changed();
      return authorizer;
    },
    clearDefault() {
      if (standard === undefined) {
        throw new RegistryError('ResourceNotFoundException', 'there is no default authorizer');
      }
      standard = undefined;
      writer?.changed();
    },
    close: async () => writer?.flush(),
  };
}

const newAuthorizer = (asked: AuthorizerRequest, arn: string, nowMs: number): Authorizer => ({
  name: asked.name,
  arn,
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
