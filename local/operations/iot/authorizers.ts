import type { Operation } from '../operation.ts';
import type { AuthorizerDeps } from './authorizer-call.ts';
import { createAuthorizer } from './create-authorizer.ts';
import {
  clearDefaultAuthorizer,
  describeDefaultAuthorizer,
  setDefaultAuthorizer,
} from './default-authorizer.ts';
import { deleteAuthorizer } from './delete-authorizer.ts';
import { describeAuthorizer } from './describe-authorizer.ts';
import { describeDomainConfiguration, listDomainConfigurations } from './domain-configurations.ts';
import { listAuthorizers } from './list-authorizers.ts';
import { testInvokeAuthorizer } from './test-invoke-authorizer.ts';
import { updateAuthorizer } from './update-authorizer.ts';

/** Calls about custom authorizers, and the reading ones about domain configurations. */
export const authorizerOperations = (deps: AuthorizerDeps): Operation[] => [
  clearDefaultAuthorizer(deps),
  createAuthorizer(deps),
  deleteAuthorizer(deps),
  describeAuthorizer(deps),
  describeDefaultAuthorizer(deps),
  describeDomainConfiguration(deps),
  listAuthorizers(deps),
  listDomainConfigurations(deps),
  setDefaultAuthorizer(deps),
  testInvokeAuthorizer(deps),
  updateAuthorizer(deps),
];
