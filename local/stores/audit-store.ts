import {
  type AuditFinding,
  type AuditTask,
  CHECK_NAMES,
  type CheckName,
} from '../core/registry/index.ts';

/** Values of a check that can be configured, by the names of the API. */
export type CheckConfiguration = Readonly<
  Partial<
    Record<'CERT_AGE_THRESHOLD_IN_DAYS' | 'CERT_EXPIRATION_THRESHOLD_IN_DAYS', string | undefined>
  >
>;

export interface AuditConfiguration {
  readonly roleArn?: string | undefined;
  /** Whom the end of a task is told. */
  readonly target?:
    | {
        readonly targetArn?: string | undefined;
        readonly roleArn?: string | undefined;
        readonly enabled: boolean;
      }
    | undefined;
  readonly checks: ReadonlyMap<
    CheckName,
    { readonly enabled: boolean; readonly configuration?: CheckConfiguration | undefined }
  >;
}

/** An audit that comes again. */
export interface ScheduledAudit {
  readonly name: string;
  readonly arn: string;
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY';
  readonly dayOfWeek?: string | undefined;
  readonly dayOfMonth?: string | undefined;
  readonly checks: readonly CheckName[];
}

/** What may be done about findings. */
export interface MitigationAction {
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly roleArn: string;
  readonly createdMs: number;
  readonly params:
    | { readonly publishFindingToSnsParams: { readonly topicArn: string } }
    | { readonly updateDeviceCertificateParams: { readonly action: 'DEACTIVATE' } };
}

/** The account's audits: how they are configured, and what came of them. Gone with the process. */
export interface AuditStore {
  readonly configuration: () => AuditConfiguration;
  readonly configure: (next: AuditConfiguration) => void;
  readonly scheduled: () => readonly ScheduledAudit[];
  readonly mitigations: () => readonly MitigationAction[];
  readonly saveTask: (task: AuditTask) => void;
  readonly task: (taskId: string) => AuditTask | undefined;
  readonly tasks: () => readonly AuditTask[];
  readonly addFindings: (findings: readonly AuditFinding[]) => void;
  readonly finding: (findingId: string) => AuditFinding | undefined;
  readonly findings: () => readonly AuditFinding[];
}

export const NO_AUDITS: AuditConfiguration = {
  checks: new Map(CHECK_NAMES.map((name) => [name, { enabled: false }])),
};

/** AWS keeps what audits found for 90 days. */
const KEPT_MS = 90 * 86_400_000;

export interface AuditDeclarations {
  readonly configuration?: AuditConfiguration | undefined;
  readonly scheduled: readonly ScheduledAudit[];
  readonly mitigations: readonly MitigationAction[];
}

export function createAuditStore(
  declared: AuditDeclarations,
  { now }: { readonly now: () => number },
): AuditStore {
  let configuration = declared.configuration ?? NO_AUDITS;
  const tasks = new Map<string, AuditTask>();
  const findings = new Map<string, AuditFinding>();
  const forget = () => {
    const before = now() - KEPT_MS;
    for (const { taskId, startedMs } of tasks.values()) {
      if (startedMs < before) tasks.delete(taskId);
    }
    for (const { findingId, foundMs } of findings.values()) {
      if (foundMs < before) findings.delete(findingId);
    }
  };
  return {
    configuration: () => configuration,
    configure: (next) => {
      configuration = next;
    },
    scheduled: () => declared.scheduled,
    mitigations: () => declared.mitigations,
    saveTask: (task) => {
      forget();
      tasks.set(task.taskId, task);
    },
    task: (id) => tasks.get(id),
    tasks: () => [...tasks.values()],
    addFindings: (found) => {
      for (const one of found) findings.set(one.findingId, one);
    },
    finding: (id) => findings.get(id),
    findings: () => [...findings.values()],
  };
}
