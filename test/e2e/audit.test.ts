import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import {
  AttachThingPrincipalCommand,
  DescribeAuditTaskCommand,
  IoTClient,
  ListAuditFindingsCommand,
  ListMitigationActionsCommand,
  ListThingPrincipalsCommand,
  StartAuditMitigationActionsTaskCommand,
  StartOnDemandAuditTaskCommand,
} from '@aws-sdk/client-iot';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { bootLaptop, connectDevice, type TestLaptop } from '../support/laptop.ts';

const CHECK = 'DEVICE_CERTIFICATE_SHARED_CHECK';

let laptop: TestLaptop;
let iot: IoTClient;
let table: DynamoDBClient;

beforeAll(async () => {
  laptop = await bootLaptop({ params: { deviceDefenderAudit: 'enabled' } });
  iot = new IoTClient(laptop.client);
  table = new DynamoDBClient(laptop.client);
});

afterAll(async () => {
  iot.destroy();
  table.destroy();
  await laptop.close();
});

/** Incidents that audits led to, by their cause: subject and count. */
async function incidents(): Promise<readonly (readonly [string, string, number])[]> {
  const { Items = [] } = await table.send(
    new ScanCommand({ TableName: 'tributary-dev-incidents' }),
  );
  return Items.flatMap((item) => {
    const text = Object.values(item).find(({ S = '' }) => S.startsWith('{'))?.S ?? '{}';
    const {
      cause = '',
      subject,
      count,
    } = JSON.parse(text) as {
      cause?: string;
      subject?: { kind: string };
      count?: number;
    };
    return cause.startsWith('audit-') ? [[cause, subject?.kind ?? '', count ?? 0] as const] : [];
  }).toSorted();
}

it('of a certificate that two devices share, an audit makes one incident, however often it runs', async () => {
  const [one, other] = [
    await laptop.addDevice('probe-1', 'acme'),
    await laptop.addDevice('probe-2', 'acme'),
  ];
  const shared = { ...other, certificatePem: one.certificatePem, privateKeyPem: one.privateKeyPem };
  const { principals: [principal] = [] } = await iot.send(
    new ListThingPrincipalsCommand({ thingName: 'probe-1' }),
  );
  await iot.send(new AttachThingPrincipalCommand({ thingName: 'probe-2', principal }));
  const clients = [await connectDevice(laptop, one), await connectDevice(laptop, shared)];

  const run = async () => {
    const { taskId = '' } = await iot.send(
      new StartOnDemandAuditTaskCommand({ targetCheckNames: [CHECK] }),
    );
    await laptop.idle();
    return taskId;
  };
  await run();
  expect(await incidents()).toEqual([['audit-device-certificate-shared', 'account', 1]]);
  const taskId = await run();
  expect(await incidents()).toEqual([['audit-device-certificate-shared', 'account', 2]]);
  for (const client of clients) await client.endAsync();

  const { findings = [] } = await iot.send(new ListAuditFindingsCommand({ taskId }));
  expect(findings.map(({ relatedResources = [] }) => relatedResources.length)).toEqual([2]);

  // a finding that somebody has published is an incident of its own, about the certificate
  const { actionIdentifiers = [] } = await iot.send(new ListMitigationActionsCommand({}));
  const publish = actionIdentifiers.find(({ actionName = '' }) => actionName.includes('publish'));
  await iot.send(
    new StartAuditMitigationActionsTaskCommand({
      taskId: 'publish-it',
      target: { auditTaskId: taskId },
      auditCheckToActionsMapping: { [CHECK]: [publish?.actionName ?? ''] },
      clientRequestToken: 'once',
    }),
  );
  await laptop.idle();
  expect(await incidents()).toEqual([
    ['audit-device-certificate-shared', 'account', 2],
    ['audit-device-certificate-shared', 'resource', 1],
  ]);
});

it('our own policies pass the audit, run under the role of the template', async () => {
  const { taskId } = await iot.send(
    new StartOnDemandAuditTaskCommand({
      targetCheckNames: [
        'IOT_POLICY_OVERLY_PERMISSIVE_CHECK',
        'IOT_POLICY_POTENTIAL_MISCONFIGURATION_CHECK',
        'DEVICE_CERTIFICATE_EXPIRING_CHECK',
        'DEVICE_CERTIFICATE_KEY_QUALITY_CHECK',
        'CA_CERTIFICATE_EXPIRING_CHECK',
      ],
    }),
  );
  await laptop.idle();
  const task = await iot.send(new DescribeAuditTaskCommand({ taskId }));
  expect(task.taskStatistics).toMatchObject({ totalChecks: 5, compliantChecks: 5 });
  expect(laptop.notices.map(({ type }) => type)).not.toContain('AWS::IoT::ScheduledAudit');
});
