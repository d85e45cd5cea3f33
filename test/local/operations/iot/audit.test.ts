import {
  CreateAuditSuppressionCommand,
  CreateKeysAndCertificateCommand,
  DescribeAccountAuditConfigurationCommand,
  DescribeAuditFindingCommand,
  DescribeAuditMitigationActionsTaskCommand,
  DescribeAuditTaskCommand,
  DescribeScheduledAuditCommand,
  GetV2LoggingOptionsCommand,
  ListAuditFindingsCommand,
  ListAuditMitigationActionsExecutionsCommand,
  ListAuditTasksCommand,
  ListMitigationActionsCommand,
  ListRelatedResourcesForAuditFindingCommand,
  ListScheduledAuditsCommand,
  NotConfiguredException,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  ResourceNotFoundException,
  SetV2LoggingOptionsCommand,
  StartAuditMitigationActionsTaskCommand,
  StartOnDemandAuditTaskCommand,
  UpdateAccountAuditConfigurationCommand,
} from '@aws-sdk/client-iot';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAuthority } from '../../../../local/pki/index.ts';
import { certificateWithList, revocationList } from '../../../support/revocation.ts';
import { openAuditWorld, ROLE, TOPIC } from './audit-world.ts';
import { NOW, sharedPki } from './iot-world.ts';

const DAY_MS = 86_400_000;

let shared: Awaited<ReturnType<typeof sharedPki>>;
let world: Awaited<ReturnType<typeof openAuditWorld>>;
beforeAll(async () => {
  shared = await sharedPki();
});
beforeEach(async () => {
  world = await openAuditWorld(shared.pki);
});
afterEach(() => world.close());
afterAll(() => shared.remove());

const enable = (...names: readonly string[]) =>
  world.iot.send(
    new UpdateAccountAuditConfigurationCommand({
      roleArn: ROLE,
      auditNotificationTargetConfigurations: {
        SNS: { targetArn: TOPIC, roleArn: ROLE, enabled: true },
      },
      auditCheckConfigurations: Object.fromEntries(names.map((name) => [name, { enabled: true }])),
    }),
  );

/** @returns the id of a task that is done */
async function audit(...names: readonly string[]): Promise<string> {
  await enable(...names);
  return start(...names);
}

async function start(...names: readonly string[]): Promise<string> {
  const { taskId = '' } = await world.iot.send(
    new StartOnDemandAuditTaskCommand({ targetCheckNames: [...names] }),
  );
  await world.auditor.idle();
  return taskId;
}

const findingsOf = async (taskId: string) => {
  const { findings = [] } = await world.iot.send(new ListAuditFindingsCommand({ taskId }));
  return findings;
};

/** Two client ids at once under a certificate of this id. */
function share(certificateId: string): void {
  for (const clientId of ['probe-1', 'probe-2']) {
    world.history.note({
      eventType: 'connected',
      clientId,
      sessionIdentifier: clientId,
      principalIdentifier: certificateId,
      timestamp: NOW,
    });
  }
}

async function certificate(): Promise<string> {
  const made = await world.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  return made.certificateId ?? '';
}

describe('an audit on demand', () => {
  it('is a task with a result for each check, and ends with a summary to the topic', async () => {
    const taskId = await audit('LOGGING_DISABLED_CHECK', 'DEVICE_CERTIFICATE_EXPIRING_CHECK');
    const task = await world.iot.send(new DescribeAuditTaskCommand({ taskId }));
    expect(task).toMatchObject({
      taskStatus: 'COMPLETED',
      taskType: 'ON_DEMAND_AUDIT_TASK',
      taskStatistics: { totalChecks: 2, compliantChecks: 1, nonCompliantChecks: 1 },
      auditDetails: {
        LOGGING_DISABLED_CHECK: {
          checkRunStatus: 'COMPLETED_NON_COMPLIANT',
          checkCompliant: false,
          nonCompliantResourcesCount: 1,
          totalResourcesCount: 1,
        },
        DEVICE_CERTIFICATE_EXPIRING_CHECK: {
          checkRunStatus: 'COMPLETED_COMPLIANT',
          checkCompliant: true,
        },
      },
    });
    expect(world.told.map(({ topicArn }) => topicArn)).toEqual([TOPIC]);
    expect(JSON.parse(world.told[0]?.message ?? '')).toEqual({
      accountId: '000000000000',
      taskId,
      taskStatus: 'COMPLETED',
      taskType: 'ON_DEMAND_AUDIT_TASK',
      failedChecksCount: 0,
      canceledChecksCount: 0,
      nonCompliantChecksCount: 1,
      compliantChecksCount: 1,
      totalChecksCount: 2,
      taskStartTime: task.taskStartTime?.getTime(),
      auditDetails: [
        {
          checkName: 'LOGGING_DISABLED_CHECK',
          checkRunStatus: 'COMPLETED_NON_COMPLIANT',
          totalResourcesCount: 1,
          nonCompliantResourcesCount: 1,
        },
        {
          checkName: 'DEVICE_CERTIFICATE_EXPIRING_CHECK',
          checkRunStatus: 'COMPLETED_COMPLIANT',
          totalResourcesCount: 0,
          nonCompliantResourcesCount: 0,
        },
      ],
    });
  });

  it('leaves findings, by task and by time, and each by its id', async () => {
    const id = await certificate();
    share(id);
    const taskId = await audit('DEVICE_CERTIFICATE_SHARED_CHECK', 'LOGGING_DISABLED_CHECK');
    const findings = await findingsOf(taskId);
    expect(findings.map(({ checkName }) => checkName).toSorted()).toEqual([
      'DEVICE_CERTIFICATE_SHARED_CHECK',
      'LOGGING_DISABLED_CHECK',
    ]);
    const byTime = await world.iot.send(
      new ListAuditFindingsCommand({
        checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK',
        startTime: new Date(NOW - DAY_MS),
        endTime: new Date(NOW + DAY_MS),
        resourceIdentifier: { deviceCertificateId: id },
      }),
    );
    const [shared] = byTime.findings ?? [];
    expect(shared).toMatchObject({
      taskId,
      severity: 'CRITICAL',
      isSuppressed: false,
      reasonForNonComplianceCode: 'CERTIFICATE_SHARED_BY_MULTIPLE_DEVICES',
      nonCompliantResource: {
        resourceType: 'DEVICE_CERTIFICATE',
        resourceIdentifier: { deviceCertificateId: id },
      },
    });
    const { findingId = '' } = shared ?? {};
    const one = await world.iot.send(new DescribeAuditFindingCommand({ findingId }));
    expect(one.finding).toEqual(shared);
    const related = await world.iot.send(
      new ListRelatedResourcesForAuditFindingCommand({ findingId }),
    );
    expect(related.relatedResources).toEqual(shared?.relatedResources);
  });

  it('looks at the revocation list of a registered authority', async () => {
    const url = 'http://127.0.0.1/fleet.crl';
    const validity = { notBeforeMs: NOW, notAfterMs: NOW + 900 * DAY_MS };
    const fleet = await createAuthority([['CN', 'Fleet']], validity);
    const [gone, good] = [
      await certificateWithList(fleet, 'probe-1', validity, url),
      await certificateWithList(fleet, 'probe-2', validity, url),
    ];
    world.lists.set(url, await revocationList(fleet, [gone.serialNumber], NOW));
    await world.iot.send(
      new RegisterCACertificateCommand({
        caCertificate: fleet.certificatePem,
        certificateMode: 'SNI_ONLY',
        setAsActive: true,
      }),
    );
    const ids: (string | undefined)[] = [];
    for (const { pem } of [gone, good]) {
      const { certificateId } = await world.iot.send(
        new RegisterCertificateCommand({
          certificatePem: pem,
          caCertificatePem: fleet.certificatePem,
          status: 'ACTIVE',
        }),
      );
      ids.push(certificateId);
    }
    const taskId = await audit(
      'REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK',
      'REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK',
    );
    const found = (await findingsOf(taskId)).map(
      ({ nonCompliantResource }) => nonCompliantResource?.resourceIdentifier,
    );
    expect(found).toEqual([{ deviceCertificateId: ids[0] }]);
  });

  it('is listed with the others, the newest first', async () => {
    const first = await audit('LOGGING_DISABLED_CHECK');
    const second = await audit('LOGGING_DISABLED_CHECK');
    const times = { startTime: new Date(NOW - DAY_MS), endTime: new Date(NOW + DAY_MS) };
    const { tasks = [] } = await world.iot.send(new ListAuditTasksCommand(times));
    expect(tasks.map(({ taskId }) => taskId)).toEqual([second, first]);
  });

  it.each([
    ['no audits are configured', 'LOGGING_DISABLED_CHECK', []],
    ['is not enabled', 'LOGGING_DISABLED_CHECK', ['CONFLICTING_CLIENT_IDS_CHECK']],
    [
      'the laptop cannot run it, as it has no Cognito identity pools',
      'AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK',
      ['AUTHENTICATED_COGNITO_ROLE_OVERLY_PERMISSIVE_CHECK'],
    ],
    ['no check of Device Defender Audit', 'NO_SUCH_CHECK', ['LOGGING_DISABLED_CHECK']],
  ])('is refused, and says that %s', async (why, name, enabled) => {
    if (enabled.length > 0) await enable(...enabled);
    const start = world.iot.send(new StartOnDemandAuditTaskCommand({ targetCheckNames: [name] }));
    await expect(start).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: expect.stringContaining(why),
    });
  });

  it('fails the checks that its role lacks a grant for, and says which', async () => {
    world.lacking.add('iot:ListPolicies');
    const taskId = await audit('IOT_POLICY_OVERLY_PERMISSIVE_CHECK', 'LOGGING_DISABLED_CHECK');
    const { auditDetails } = await world.iot.send(new DescribeAuditTaskCommand({ taskId }));
    expect(auditDetails).toMatchObject({
      IOT_POLICY_OVERLY_PERMISSIVE_CHECK: {
        checkRunStatus: 'FAILED',
        errorCode: 'INSUFFICIENT_PERMISSIONS',
        message: expect.stringContaining('iot:ListPolicies'),
      },
      LOGGING_DISABLED_CHECK: { checkRunStatus: 'COMPLETED_NON_COMPLIANT' },
    });
  });

  it('tells nobody where its role may not publish, and says so in the log', async () => {
    world.lacking.add('sns:Publish');
    await audit('LOGGING_DISABLED_CHECK');
    expect(world.told).toEqual([]);
    expect(world.log).toMatchObject([
      { level: 'error', message: expect.stringContaining('sns:Publish') },
    ]);
  });
});

describe('the configuration', () => {
  it('has every check switched off at first, and keeps what an update leaves out', async () => {
    const { auditCheckConfigurations: first = {} } = await world.iot.send(
      new DescribeAccountAuditConfigurationCommand({}),
    );
    expect(Object.values(first).every(({ enabled }) => enabled === false)).toBe(true);
    await enable('LOGGING_DISABLED_CHECK');
    await world.iot.send(
      new UpdateAccountAuditConfigurationCommand({
        auditCheckConfigurations: {
          DEVICE_CERTIFICATE_EXPIRING_CHECK: {
            enabled: true,
            configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '90' },
          },
        },
      }),
    );
    expect(await world.iot.send(new DescribeAccountAuditConfigurationCommand({}))).toMatchObject({
      roleArn: ROLE,
      auditNotificationTargetConfigurations: { SNS: { targetArn: TOPIC, enabled: true } },
      auditCheckConfigurations: {
        LOGGING_DISABLED_CHECK: { enabled: true },
        DEVICE_CERTIFICATE_EXPIRING_CHECK: {
          enabled: true,
          configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '90' },
        },
      },
    });
  });

  it('says how many days before its end a certificate is told of', async () => {
    await certificate();
    await world.iot.send(
      new UpdateAccountAuditConfigurationCommand({
        roleArn: ROLE,
        auditCheckConfigurations: {
          DEVICE_CERTIFICATE_EXPIRING_CHECK: {
            enabled: true,
            configuration: { CERT_EXPIRATION_THRESHOLD_IN_DAYS: '3652' },
          },
        },
      }),
    );
    world.clock.ms = NOW + 19 * 365 * DAY_MS;
    const [finding] = await findingsOf(await start('DEVICE_CERTIFICATE_EXPIRING_CHECK'));
    expect(finding?.reasonForNonComplianceCode).toBe('CERTIFICATE_APPROACHING_EXPIRATION');
  });

  it('needs a role', async () => {
    const update = world.iot.send(new UpdateAccountAuditConfigurationCommand({}));
    await expect(update).rejects.toThrow('needs roleArn');
  });
});

describe('logging', () => {
  it('is off until it is switched on, and an audit sees it', async () => {
    const asked = world.iot.send(new GetV2LoggingOptionsCommand({}));
    await expect(asked).rejects.toBeInstanceOf(NotConfiguredException);
    await world.iot.send(
      new SetV2LoggingOptionsCommand({ roleArn: ROLE, defaultLogLevel: 'ERROR' }),
    );
    expect(await findingsOf(await audit('LOGGING_DISABLED_CHECK'))).toEqual([]);
    await world.iot.send(new SetV2LoggingOptionsCommand({ disableAllLogs: true }));
    expect(await findingsOf(await audit('LOGGING_DISABLED_CHECK'))).toHaveLength(1);
  });
});

describe('what the template declares', () => {
  it('is listed', async () => {
    const { scheduledAudits } = await world.iot.send(new ListScheduledAuditsCommand({}));
    expect(scheduledAudits).toMatchObject([{ scheduledAuditName: 'daily', frequency: 'DAILY' }]);
    const one = new DescribeScheduledAuditCommand({ scheduledAuditName: 'daily' });
    expect((await world.iot.send(one)).targetCheckNames).toEqual(['LOGGING_DISABLED_CHECK']);
    const { actionIdentifiers } = await world.iot.send(new ListMitigationActionsCommand({}));
    expect(actionIdentifiers?.map(({ actionName }) => actionName)).toEqual([
      'deactivate',
      'publish',
    ]);
  });

  it('is done about findings when somebody says so: a certificate deactivated, the finding published', async () => {
    const id = await certificate();
    share(id);
    const auditTaskId = await audit('DEVICE_CERTIFICATE_SHARED_CHECK', 'LOGGING_DISABLED_CHECK');
    world.told.length = 0;
    const mapping = {
      DEVICE_CERTIFICATE_SHARED_CHECK: ['publish', 'deactivate'],
      LOGGING_DISABLED_CHECK: ['deactivate'],
    };
    const { taskId } = await world.iot.send(
      new StartAuditMitigationActionsTaskCommand({
        taskId: 'mend-1',
        target: { auditTaskId },
        auditCheckToActionsMapping: mapping,
        clientRequestToken: 'once',
      }),
    );
    expect(world.registry.certificate(id)?.status).toBe('INACTIVE');
    const findings = await findingsOf(auditTaskId);
    const shared = findings.find(({ severity }) => severity === 'CRITICAL');
    expect(world.told.map(({ message }) => JSON.parse(message))).toMatchObject([
      {
        findingId: shared?.findingId,
        checkName: 'DEVICE_CERTIFICATE_SHARED_CHECK',
        nonCompliantResource: { resourceIdentifier: { deviceCertificateId: id } },
      },
    ]);
    const done = await world.iot.send(new DescribeAuditMitigationActionsTaskCommand({ taskId }));
    expect(done).toMatchObject({
      taskStatus: 'COMPLETED',
      taskStatistics: {
        DEVICE_CERTIFICATE_SHARED_CHECK: { succeededFindingsCount: 2 },
        LOGGING_DISABLED_CHECK: { skippedFindingsCount: 1 },
      },
      auditCheckToActionsMapping: mapping,
    });
    const { actionsExecutions = [] } = await world.iot.send(
      new ListAuditMitigationActionsExecutionsCommand({ taskId, findingId: shared?.findingId }),
    );
    expect(actionsExecutions.map(({ actionName, status }) => [actionName, status])).toEqual([
      ['deactivate', 'COMPLETED'],
      ['publish', 'COMPLETED'],
    ]);
  });

  it('is not done where the role of an action lacks the grant', async () => {
    const id = await certificate();
    share(id);
    world.lacking.add('iot:UpdateCertificate');
    const auditTaskId = await audit('DEVICE_CERTIFICATE_SHARED_CHECK');
    await world.iot.send(
      new StartAuditMitigationActionsTaskCommand({
        taskId: 'mend-1',
        target: { auditTaskId },
        auditCheckToActionsMapping: { DEVICE_CERTIFICATE_SHARED_CHECK: ['deactivate'] },
        clientRequestToken: 'once',
      }),
    );
    expect(world.registry.certificate(id)?.status).toBe('ACTIVE');
    const task = await world.iot.send(
      new DescribeAuditMitigationActionsTaskCommand({ taskId: 'mend-1' }),
    );
    expect(task.taskStatistics).toMatchObject({
      DEVICE_CERTIFICATE_SHARED_CHECK: { failedFindingsCount: 1 },
    });
  });

  it('runs on its schedule, looks at what was since the time before, and cancels what the laptop cannot run', async () => {
    await enable('CONFLICTING_CLIENT_IDS_CHECK');
    const audit = {
      ...world.daily,
      checks: ['CONFLICTING_CLIENT_IDS_CHECK', 'IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK'] as const,
    };
    world.conflict('probe-1', NOW - 1000);
    const run = async () => {
      const taskId = world.auditor.startScheduled(audit);
      await world.auditor.idle();
      return world.iot.send(new DescribeAuditTaskCommand({ taskId }));
    };
    const first = await run();
    expect(first).toMatchObject({
      taskType: 'SCHEDULED_AUDIT_TASK',
      scheduledAuditName: 'daily',
      auditDetails: {
        CONFLICTING_CLIENT_IDS_CHECK: { nonCompliantResourcesCount: 1 },
        IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK: {
          checkRunStatus: 'CANCELED',
          message: expect.stringContaining('no role aliases'),
        },
      },
    });
    world.clock.ms += DAY_MS;
    const second = await run();
    expect(second.auditDetails?.['CONFLICTING_CLIENT_IDS_CHECK']?.checkRunStatus).toBe(
      'COMPLETED_COMPLIANT',
    );
  });
});

it('what is not there is said by name', async () => {
  const unknown = world.iot.send(new DescribeAuditTaskCommand({ taskId: 'none' }));
  await expect(unknown).rejects.toBeInstanceOf(ResourceNotFoundException);
  const suppress = world.iot.send(
    new CreateAuditSuppressionCommand({
      checkName: 'LOGGING_DISABLED_CHECK',
      resourceIdentifier: { account: '000000000000' },
      clientRequestToken: 'once',
    }),
  );
  await expect(suppress).rejects.toThrow('CreateAuditSuppression: the laptop has no suppressions');
});
