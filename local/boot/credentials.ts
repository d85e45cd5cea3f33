import type { Caller } from '../operations/operation.ts';
import type { Credentials } from '../runtime/lambda-environment.ts';
import type { FunctionSpec } from '../runtime/lambda-function.ts';

export interface CredentialDesk {
  readonly credentialsOf: (functionName: string) => Credentials;
  readonly callerOf: (accessKeyId: string) => Caller;
}

const OPERATOR: Caller = { kind: 'operator' };

/**
 * Gives each function keys of its own, new at each boot, so that a call tells whose role it is held to.
 *
 * @param randomHex  so many random bytes, in hexadecimal
 */
export function openCredentialDesk(
  functions: readonly FunctionSpec[],
  randomHex: (bytes: number) => string,
): CredentialDesk {
  const keys = new Map<string, Credentials>();
  const callers = new Map<string, Caller>();
  for (const { name, roleArn } of functions) {
    const accessKeyId = `ASIA${randomHex(8).toUpperCase()}`;
    keys.set(name, {
      accessKeyId,
      secretAccessKey: randomHex(20),
      sessionToken: randomHex(32),
    });
    callers.set(accessKeyId, { kind: 'function', functionName: name, roleArn });
  }
  return {
    credentialsOf: (functionName) => {
      const known = keys.get(functionName);
      if (known === undefined) throw new Error(`No function is named ${functionName}`);
      return known;
    },
    callerOf: (accessKeyId) => callers.get(accessKeyId) ?? OPERATOR,
  };
}
