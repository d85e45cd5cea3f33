import type { Operation } from '../../operation.ts';
import type { AuditDeps } from './audit-call.ts';
import { deleteAccountAuditConfiguration } from './delete-account-audit-configuration.ts';
import { describeAccountAuditConfiguration } from './describe-account-audit-configuration.ts';
import { describeAuditFinding } from './describe-audit-finding.ts';
import { describeAuditTask } from './describe-audit-task.ts';
import { listAuditFindings } from './list-audit-findings.ts';
import { listAuditTasks } from './list-audit-tasks.ts';
import { listRelatedResourcesForAuditFinding } from './list-related-resources-for-audit-finding.ts';
import { getV2LoggingOptions, setV2LoggingOptions } from './logging-options.ts';
import { describeMitigationAction, listMitigationActions } from './mitigation-actions.ts';
import {
  describeAuditMitigationActionsTask,
  listAuditMitigationActionsExecutions,
} from './mitigation-tasks.ts';
import { describeScheduledAudit, listScheduledAudits } from './scheduled-audits.ts';
import { startAuditMitigationActionsTask } from './start-audit-mitigation-actions-task.ts';
import { startOnDemandAuditTask } from './start-on-demand-audit-task.ts';
import { updateAccountAuditConfiguration } from './update-account-audit-configuration.ts';

export type { AuditDeps } from './audit-call.ts';

/** Device Defender Audit. Suppressions, and what only the template declares here, are refused by name. */
export const auditOperations = (deps: AuditDeps): Operation[] => [
  deleteAccountAuditConfiguration(deps),
  describeAccountAuditConfiguration(deps),
  describeAuditFinding(deps),
  describeAuditMitigationActionsTask(deps),
  describeAuditTask(deps),
  describeMitigationAction(deps),
  describeScheduledAudit(deps),
  getV2LoggingOptions(deps),
  listAuditFindings(deps),
  listAuditMitigationActionsExecutions(deps),
  listAuditTasks(deps),
  listMitigationActions(deps),
  listRelatedResourcesForAuditFinding(deps),
  listScheduledAudits(deps),
  setV2LoggingOptions(deps),
  startAuditMitigationActionsTask(deps),
  startOnDemandAuditTask(deps),
  updateAccountAuditConfiguration(deps),
];
