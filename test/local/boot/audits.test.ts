import { expect, it } from '@jest/globals';
import { openAudits } from '../../../local/boot/audits.ts';
import { loadRoles } from '../../../local/boot/roles.ts';
import type { LogEntry } from '../../../local/core/log.ts';
import { resolveTemplate } from '../../../local/core/template/index.ts';
import { createRegistry } from '../../../local/stores/registry.ts';
import { createTopicStore } from '../../../local/stores/topic-store.ts';
import { virtualClock } from '../runtime/virtual-clock.ts';

const PLACE = { accountId: '000000000000', region: 'eu-central-1' };
const TOPIC = 'arn:aws:sns:eu-central-1:000000000000:findings';
const DAY_MS = 86_400_000;

const role = (...actions: readonly string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'audit',
    Policies: [
      {
        PolicyName: 'audit',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
        },
      },
    ],
  },
});

const configuration = {
  Type: 'AWS::IoT::AccountAuditConfiguration',
  Properties: {
    AccountId: PLACE.accountId,
    RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
    AuditNotificationTargetConfigurations: {
      Sns: { TargetArn: TOPIC, RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] }, Enabled: true },
    },
    AuditCheckConfigurations: {
      LoggingDisabledCheck: { Enabled: true },
      IotRoleAliasOverlyPermissiveCheck: { Enabled: true },
    },
  },
};

const scheduled = (properties: object) => ({
  Type: 'AWS::IoT::ScheduledAudit',
  Properties: {
    ScheduledAuditName: 'again',
    TargetCheckNames: ['LOGGING_DISABLED_CHECK'],
    ...properties,
  },
});

function open(Resources: Readonly<Record<string, object>>) {
  const clock = virtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const told: { at: string; status: unknown }[] = [];
  const log: LogEntry[] = [];
  const stack = resolveTemplate({ Resources }, { ...PLACE, partition: 'aws', stackName: 's' });
  const world = {
    ...PLACE,
    clock,
    now: clock.now,
    timers: () => () => {},
    random: Math.random,
    uuid: () => crypto.randomUUID(),
    log: (entry: LogEntry) => void log.push(entry),
  };
  const audits = openAudits(stack, world, {
    registry: createRegistry(world),
    roles: loadRoles(stack),
    topics: createTopicStore([{ name: 'findings', arn: TOPIC, displayName: '' }], []),
    publish: (_topic, { message }) => {
      const [detail] = JSON.parse(message).auditDetails;
      told.push({ at: new Date(clock.now()).toISOString(), status: detail.checkRunStatus });
      return 'id';
    },
  });
  return { audits, clock, told, log };
}

const GRANTED = role('iot:GetV2LoggingOptions', 'sns:Publish');

it.each([
  { frequency: { Frequency: 'DAILY' }, days: 3, times: ['01', '02', '03'] },
  { frequency: { Frequency: 'WEEKLY', DayOfWeek: 'MON' }, days: 14, times: ['05', '12'] },
  { frequency: { Frequency: 'MONTHLY', DayOfMonth: 'LAST' }, days: 31, times: ['31'] },
])('the template’s audit runs by itself, $frequency', async ({ frequency, days, times }) => {
  const { audits, clock, told } = open({
    Role: GRANTED,
    Audits: configuration,
    Again: scheduled(frequency),
  });
  audits.start();
  for (let day = 0; day < days; day += 1) {
    await clock.pass(DAY_MS);
    await audits.idle();
  }
  await audits.stop();
  expect(told.map(({ at }) => at.slice(0, 10))).toEqual(times.map((day) => `2026-01-${day}`));
  expect(told.every(({ status }) => status === 'COMPLETED_NON_COMPLIANT')).toBe(true);
});

it('looks with the rights of the template’s role, and fails by name where one is missing', async () => {
  const { audits, clock, told } = open({
    Role: role('sns:Publish'),
    Audits: configuration,
    Again: scheduled({ Frequency: 'DAILY' }),
  });
  audits.start();
  await clock.pass(DAY_MS);
  await audits.stop();
  expect(told.map(({ status }) => status)).toEqual(['FAILED']);
});

it('tells nobody without the right to publish, and the log says which is missing', async () => {
  const { audits, clock, told, log } = open({
    Role: role('iot:GetV2LoggingOptions'),
    Audits: configuration,
    Again: scheduled({ Frequency: 'DAILY' }),
  });
  audits.start();
  await clock.pass(DAY_MS);
  await audits.stop();
  expect(told).toEqual([]);
  expect(log).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('sns:Publish') }),
  );
});

it('says at start which of the enabled checks it cannot run', () => {
  const { log } = open({ Role: GRANTED, Audits: configuration });
  expect(log.map(({ message }) => message)).toEqual([
    'IOT_ROLE_ALIAS_OVERLY_PERMISSIVE_CHECK does not run on the laptop: it has no credentials provider, so no role aliases',
  ]);
});

it.each([
  {
    what: 'a frequency that it has not',
    resources: { Again: scheduled({ Frequency: 'BIWEEKLY', DayOfWeek: 'MON' }) },
    says: 'the laptop has DAILY, WEEKLY and MONTHLY audits',
  },
  {
    what: 'a week without a day',
    resources: { Again: scheduled({ Frequency: 'WEEKLY' }) },
    says: 'a WEEKLY audit needs DayOfWeek',
  },
  {
    what: 'a check that is none',
    resources: { Again: scheduled({ Frequency: 'DAILY', TargetCheckNames: ['NO_CHECK'] }) },
    says: 'no check of Device Defender Audit',
  },
  {
    what: 'a mitigation that it has not',
    resources: {
      Mend: {
        Type: 'AWS::IoT::MitigationAction',
        Properties: {
          RoleArn: 'arn:aws:iam::000000000000:role/r',
          ActionParams: { ReplaceDefaultPolicyVersionParams: { TemplateName: 'BLANK_POLICY' } },
        },
      },
    },
    says: 'the laptop has PublishFindingToSnsParams and UpdateDeviceCertificateParams only',
  },
])('$what is refused at start', ({ resources, says }) => {
  expect(() => open(resources)).toThrow(says);
});

it('logging that the template declares is on', async () => {
  const { audits, clock, told } = open({
    Role: GRANTED,
    Audits: configuration,
    Again: scheduled({ Frequency: 'DAILY' }),
    Logging: {
      Type: 'AWS::IoT::Logging',
      Properties: {
        AccountId: PLACE.accountId,
        DefaultLogLevel: 'ERROR',
        RoleArn: 'arn:aws:iam::000000000000:role/logs',
      },
    },
  });
  audits.start();
  await clock.pass(DAY_MS);
  await audits.stop();
  expect(told.map(({ status }) => status)).toEqual(['COMPLETED_COMPLIANT']);
});
