export { type Attachments, createAttachments } from './attachments.ts';
export {
  type AuditedAccount,
  type AuditedAuthority,
  type AuditedCertificate,
  type AuditFinding,
  type AuditTask,
  CHECK_NAMES,
  CHECK_SEVERITIES,
  CHECKS,
  type CheckDetails,
  type CheckName,
  type CheckSettings,
  type ConnectionRecord,
  checkNamed,
  DEFAULT_SETTINGS,
  isCheckName,
  statisticsOf,
  summaryOf,
  UNAVAILABLE,
} from './audit/index.ts';
export { type Certificates, createCertificates } from './certificates.ts';
export { certificateVariables, thingVariables } from './context.ts';
export { found, RegistryError, STATUS_OF } from './errors.ts';
export { createThingGroups, type ThingGroups } from './groups.ts';
export {
  type Authority,
  CERTIFICATE_STATUSES,
  type Certificate,
  type RegistryChange,
  RegistryFile,
  type Thing,
} from './model.ts';
export { createPolicies, findVersion, type Policies } from './policies.ts';
export {
  type Arns,
  arnsOf,
  emptyFile,
  fileFrom,
  type RegistryState,
  stateFrom,
} from './state.ts';
export { createThings, type Things } from './things.ts';
