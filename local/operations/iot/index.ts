import type { Operation } from '../operation.ts';
import { addThingToThingGroup } from './add-thing-to-thing-group.ts';
import { attachPolicy } from './attach-policy.ts';
import { attachThingPrincipal } from './attach-thing-principal.ts';
import { createCertificateFromCsr } from './create-certificate-from-csr.ts';
import { createKeysAndCertificate } from './create-keys-and-certificate.ts';
import { createPolicy } from './create-policy.ts';
import { createPolicyVersion } from './create-policy-version.ts';
import { createThing } from './create-thing.ts';
import { createThingGroup } from './create-thing-group.ts';
import { createThingType } from './create-thing-type.ts';
import { deleteCertificate } from './delete-certificate.ts';
import { deletePolicy } from './delete-policy.ts';
import { deletePolicyVersion } from './delete-policy-version.ts';
import { deleteThing } from './delete-thing.ts';
import { describeCaCertificate } from './describe-ca-certificate.ts';
import { describeCertificate } from './describe-certificate.ts';
import { describeEndpoint } from './describe-endpoint.ts';
import { describeThing } from './describe-thing.ts';
import { detachPolicy } from './detach-policy.ts';
import { detachThingPrincipal } from './detach-thing-principal.ts';
import { getEffectivePolicies } from './get-effective-policies.ts';
import { getPolicy } from './get-policy.ts';
import { getPolicyVersion } from './get-policy-version.ts';
import { getRegistrationCode } from './get-registration-code.ts';
import type { IotDeps } from './iot-call.ts';
import { listAttachedPolicies } from './list-attached-policies.ts';
import { listCertificates } from './list-certificates.ts';
import { listPolicies } from './list-policies.ts';
import { listPolicyVersions } from './list-policy-versions.ts';
import { listPrincipalThings } from './list-principal-things.ts';
import { listTargetsForPolicy } from './list-targets-for-policy.ts';
import { listThingGroupsForThing } from './list-thing-groups-for-thing.ts';
import { listThingPrincipals } from './list-thing-principals.ts';
import { listThings } from './list-things.ts';
import { refusedCalls } from './refused-calls.ts';
import { registerCaCertificate } from './register-ca-certificate.ts';
import { registerCertificate } from './register-certificate.ts';
import { registerCertificateWithoutCa } from './register-certificate-without-ca.ts';
import { removeThingFromThingGroup } from './remove-thing-from-thing-group.ts';
import { setDefaultPolicyVersion } from './set-default-policy-version.ts';
import { testAuthorization } from './test-authorization.ts';
import { updateCertificate } from './update-certificate.ts';
import { updateThing } from './update-thing.ts';

export type { IotDeps } from './iot-call.ts';

/** What the laptop has of the AWS IoT control plane; jobs and shadows are refused by name. */
export const iotOperations = (deps: IotDeps): Operation[] => [
  addThingToThingGroup(deps),
  attachPolicy(deps),
  attachThingPrincipal(deps),
  createCertificateFromCsr(deps),
  createKeysAndCertificate(deps),
  createPolicyVersion(deps),
  createPolicy(deps),
  createThingGroup(deps),
  createThingType(deps),
  createThing(deps),
  deleteCertificate(deps),
  deletePolicyVersion(deps),
  deletePolicy(deps),
  deleteThing(deps),
  describeCaCertificate(deps),
  describeCertificate(deps),
  describeEndpoint(deps),
  describeThing(deps),
  detachPolicy(deps),
  detachThingPrincipal(deps),
  getEffectivePolicies(deps),
  getPolicyVersion(deps),
  getPolicy(deps),
  getRegistrationCode(deps),
  listAttachedPolicies(deps),
  listCertificates(deps),
  listPolicies(deps),
  listPolicyVersions(deps),
  listPrincipalThings(deps),
  listTargetsForPolicy(deps),
  listThingGroupsForThing(deps),
  listThingPrincipals(deps),
  listThings(deps),
  registerCaCertificate(deps),
  registerCertificateWithoutCa(deps),
  registerCertificate(deps),
  removeThingFromThingGroup(deps),
  setDefaultPolicyVersion(deps),
  testAuthorization(deps),
  updateCertificate(deps),
  updateThing(deps),
  ...refusedCalls(),
];
