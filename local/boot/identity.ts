import { join } from 'node:path';
import type { ResolvedStack } from '../core/template/index.ts';
import { type DevelopmentPki, openPki } from '../pki/index.ts';
import { type Authorizers, createAuthorizers } from '../runtime/authorizer/authorizers.ts';
import type { LambdaRuntime } from '../runtime/lambda.ts';
import { type AuthorizerStore, createAuthorizerStore } from '../stores/authorizer-store.ts';
import { createRegistry, type Registry } from '../stores/registry.ts';
import { type DeclaredDomain, declareAuthorizers, declareDomains } from './access.ts';
import { declarePolicies } from './device-policies.ts';
import type { DeviceDesk } from './devices.ts';
import { ofType } from './resources.ts';
import type { World } from './world.ts';

/** Who devices are, and what can vouch for them. */
export interface Identity {
  readonly pki: DevelopmentPki;
  readonly registry: Registry;
  readonly desk: DeviceDesk;
  readonly authorizerStore: AuthorizerStore;
  readonly authorizers: Authorizers;
  readonly domains: readonly DeclaredDomain[];
}

export interface IdentityOptions {
  readonly invoke: LambdaRuntime['invoke'];
  /** Where certificates are kept, made where they are missing. */
  readonly certificateDirectory: string;
}

/** @throws {BootError} naming what is wrong with an IoT policy, an authorizer or a domain configuration */
export async function openIdentity(
  stack: ResolvedStack,
  world: World,
  { invoke, certificateDirectory }: IdentityOptions,
  opened: AsyncDisposableStack,
): Promise<Identity> {
  const { accountId, clock, now } = world;
  const pki = await openPki({ directory: certificateDirectory, now });
  const registry = createRegistry(world);
  opened.defer(registry.close);
  declarePolicies(stack, registry);
  const authorizerStore = createAuthorizerStore(world);
  opened.defer(authorizerStore.close);
  declareAuthorizers(stack, authorizerStore);
  const domains = await declareDomains(stack, { pki, authorizers: authorizerStore });
  const authorizers = createAuthorizers({
    find: authorizerStore.find,
    invoke,
    permissions: ofType(stack, 'AWS::Lambda::Permission').map(({ properties }) => properties),
    accountId,
    sleep: clock.sleep,
  });
  const desk: DeviceDesk = {
    registry,
    pki,
    policyNames: ofType(stack, 'AWS::IoT::Policy')
      .map(({ name }) => name)
      .filter((name) => DEVICE_POLICY.test(name)),
    directory: join(certificateDirectory, 'devices'),
    now,
  };
  return { pki, registry, desk, authorizerStore, authorizers, domains };
}

/** The policies that certificates of devices get, among others for dashboards and claims, end with this. */
const DEVICE_POLICY = /-device(?:-https)?$/;
