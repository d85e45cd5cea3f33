export { type Attachments, createAttachments } from './attachments.ts';
export { type Certificates, createCertificates } from './certificates.ts';
export { certificateVariables, thingVariables } from './context.ts';
export { found, notFound, RegistryError, type RegistryErrorCode, STATUS_OF } from './errors.ts';
export { createThingGroups, type ThingGroups } from './groups.ts';
export {
  type Authority,
  CERTIFICATE_STATUSES,
  type Certificate,
  type Policy,
  type PolicyVersion,
  type RegistryChange,
  RegistryFile,
  type Thing,
  type ThingGroup,
} from './model.ts';
export { createPolicies, findVersion, type Policies } from './policies.ts';
export {
  type Arns,
  arnsOf,
  emptyFile,
  fileFrom,
  type RegistryState,
  type RegistryWorld,
  stateFrom,
} from './state.ts';
export { createThings, type Things } from './things.ts';
