import { type CheckName, UNAVAILABLE } from '../core/registry/index.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import { auditOperations } from '../operations/iot/audit/index.ts';
import type { Need, Operation } from '../operations/operation.ts';
import { publishNeeds } from '../operations/sns/access.ts';
import { type Auditor, createAuditor } from '../runtime/audit/auditor.ts';
import { createMitigator } from '../runtime/audit/mitigator.ts';
import { fetchList } from '../runtime/audit/revocations.ts';
import { createScheduler } from '../runtime/schedule.ts';
import type { Publish } from '../runtime/topics/publisher.ts';
import {
  type AuditConfiguration,
  createAuditStore,
  type ScheduledAudit,
} from '../stores/audit-store.ts';
import { createConnectionHistory } from '../stores/connection-history.ts';
import { createLoggingStore } from '../stores/logging-store.ts';
import type { Registry } from '../stores/registry.ts';
import type { TopicStore } from '../stores/topic-store.ts';
import { declaredAudits, declaredLogging } from './audit-declarations.ts';
import type { Roles } from './roles.ts';
import type { World } from './world.ts';

export interface AuditOptions {
  readonly registry: Registry;
  readonly roles: Pick<Roles, 'authorizeRole' | 'isKnown'>;
  readonly topics: TopicStore;
  readonly publish: Publish;
}

/** Device Defender Audit over the laptop's registry. */
export interface Audits {
  readonly operations: readonly Operation[];
  /** Takes lifecycle events: who is connected, and by what. */
  readonly noteConnection: (event: object) => void;
  /** Scheduled audits begin to come. */
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  readonly idle: Auditor['idle'];
}

/**
 * @throws {BootError} naming what of the template's audits is wrong or not supported; checks that the laptop cannot
 *   run are said in the log
 */
export function openAudits(
  stack: ResolvedStack,
  { now, clock, uuid, log, accountId, region }: World,
  { registry, roles, topics, publish }: AuditOptions,
): Audits {
  const declared = declaredAudits(stack, now());
  const store = createAuditStore(declared, { now });
  const logging = createLoggingStore(declaredLogging(stack));
  const history = createConnectionHistory();
  const common = {
    store,
    registry,
    now,
    missing: missingBy(roles),
    publish: (topicArn: string, message: string) => void publish(topicArn, { message }),
    publishNeeds: (topicArn: string) =>
      publishNeeds({ topics, publish, accountId, region }, topicArn),
  };
  const auditor = createAuditor({
    ...common,
    history,
    loggingEnabled: logging.enabled,
    accountId,
    fetchList,
    uuid,
    log,
  });
  for (const name of enabledIn(declared.configuration)) {
    const why = UNAVAILABLE[name];
    if (why === undefined) continue;
    log({ level: 'warn', source: 'audit', message: `${name} does not run on the laptop: ${why}` });
  }
  const schedules = createScheduler(
    store.scheduled().map((audit) => ({
      arn: audit.arn,
      expression: expressionOf(audit),
      enabled: true,
      targets: [{ functionArn: audit.name }],
    })),
    {
      ...clock,
      uuid,
      log,
      invokeAsync: (wanted) => {
        const audit = store.scheduled().find(({ name }) => name === wanted);
        if (audit !== undefined) auditor.startScheduled(audit);
      },
    },
  );
  return {
    operations: auditOperations({
      audits: store,
      auditor,
      mitigator: createMitigator(common),
      logging,
    }),
    noteConnection: history.note,
    start: schedules.start,
    stop: async () => {
      await schedules.stop();
      await auditor.idle();
    },
    idle: auditor.idle,
  };
}

/**
 * Roles are held to the template's policies. One that the template has not is taken for a role with AWS's managed
 * policy for audits, as somebody would make it by hand: there is no IAM API here to make it with.
 */
const missingBy =
  ({ authorizeRole, isKnown }: AuditOptions['roles']) =>
  (roleArn: string, needs: readonly Need[]): string | undefined => {
    if (!isKnown(roleArn)) return undefined;
    const denied = needs
      .map((need) => ({ need, verdict: authorizeRole(roleArn, need) }))
      .find(({ verdict }) => !verdict.allowed);
    if (denied === undefined) return undefined;
    const { need, verdict } = denied;
    return `${roleArn} lacks ${need.action} on ${need.resource}: ${verdict.explanation}`;
  };

const enabledIn = (configuration: AuditConfiguration | undefined): readonly CheckName[] =>
  [...(configuration?.checks ?? [])].filter(([, { enabled }]) => enabled).map(([name]) => name);

/** AWS tells the day and not the hour. */
const HOUR_UTC = 3;

const expressionOf = ({ frequency, dayOfWeek, dayOfMonth }: ScheduledAudit): string => {
  if (frequency === 'DAILY') return `cron(0 ${HOUR_UTC} * * ? *)`;
  if (frequency === 'WEEKLY') return `cron(0 ${HOUR_UTC} ? * ${dayOfWeek} *)`;
  return `cron(0 ${HOUR_UTC} ${dayOfMonth === 'LAST' ? 'L' : dayOfMonth} * ? *)`;
};
