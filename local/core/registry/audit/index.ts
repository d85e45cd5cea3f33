export {
  type AuditedAccount,
  type AuditedAuthority,
  type AuditedCertificate,
  type CheckSettings,
  type ConnectionRecord,
  DEFAULT_SETTINGS,
} from './account.ts';
export { CHECKS, UNAVAILABLE } from './checks.ts';
export {
  type AuditFinding,
  CHECK_NAMES,
  CHECK_SEVERITIES,
  type CheckName,
  checkNamed,
  isCheckName,
} from './finding.ts';
export { type AuditTask, type CheckDetails, statisticsOf, summaryOf } from './task.ts';
