import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedStack } from '../core/template/index.ts';
import { createLambdaRuntime, type LambdaRuntime } from '../runtime/lambda.ts';
import { type CredentialDesk, openCredentialDesk } from './credentials.ts';
import type { Exchange } from './exchange.ts';
import { readFunctions, unpackFunctions } from './functions.ts';
import type { Roles } from './roles.ts';
import type { World } from './world.ts';

export interface ComputeOptions {
  readonly roles: Roles;
  readonly exchange: Exchange;
  /** Where `sls package` left the functions' zips. */
  readonly packageDirectory: string;
}

/** The template's functions and the keys they sign their calls with. */
export interface Compute {
  readonly lambda: LambdaRuntime;
  readonly credentials: CredentialDesk;
}

/**
 * Each boot runs the packages as they are now, from a folder of its own.
 *
 * @param opened  takes what is to be closed again; the runtime closes by itself, before what it calls does
 * @throws {BootError} naming everything of the functions that is wrong or not supported
 */
export async function openCompute(
  stack: ResolvedStack,
  { clock, log }: World,
  { roles, exchange, packageDirectory }: ComputeOptions,
  opened: AsyncDisposableStack,
): Promise<Compute> {
  const directory = mkdtempSync(join(tmpdir(), 'tributary-code-'));
  opened.defer(() => rmSync(directory, { recursive: true, force: true }));
  const { functions, asyncSettings } = readFunctions(stack, directory);
  await unpackFunctions(functions, packageDirectory);
  const specs = functions.map(({ spec }) => spec);
  const credentials = openCredentialDesk(specs, randomHex, roles);
  const lambda = createLambdaRuntime({
    functions: specs,
    get endpoint() {
      return exchange.url();
    },
    credentialsOf: credentials.credentialsOf,
    log,
    clock,
    asynchronous: {
      settings: asyncSettings,
      authorize: roles.authorize,
      deliver: (arn, { body, attributes }) => exchange.deliver(arn, body, attributes),
    },
  });
  return { lambda, credentials };
}

const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');
