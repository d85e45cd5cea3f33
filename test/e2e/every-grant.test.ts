import { readdirSync, readFileSync } from 'node:fs';
import { IoTClient, RegisterCACertificateCommand } from '@aws-sdk/client-iot';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openDeviceLife } from '../../commands/device-life.ts';
import { compilePolicies, decide } from '../../local/core/policy/index.ts';
import { type ResolvedStack, resolveTemplate } from '../../local/core/template/index.ts';
import type { Need } from '../../local/operations/operation.ts';
import {
  type Credential,
  createAuthority,
  issueClient,
  parseCertificate,
} from '../../local/pki/index.ts';
import {
  type AccessLaptop,
  bootAccess,
  certificateOf,
  connectMqtts,
  post,
  signedParameters,
  tokenFor,
} from '../support/access-laptop.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';

/*
 * One laptop does once all that the functions and rules of access and ingestion ever do; what each role was asked for
 * is held against its grants. The other functions run on their samples, and may lack nothing for these.
 */
const DAY_MS = 86_400_000;
const VALIDITY = { notBeforeMs: Date.now() - DAY_MS, notAfterMs: Date.now() + 20 * DAY_MS };

/** The roles whose function or rule does here all that it ever does. */
const WHOLE = [
  'IngestRole',
  'RecordRole',
  'RegisterRole',
  'RotationRole',
  'ExpiryRole',
  'ProvisionRole',
  'DashboardRole',
  'AuthorizeRole',
  'AuthorizeUnsignedRole',
  'TelemetryRole',
  'RegistrationRuleRole',
  'ConnectionRuleRole',
];

/** What is granted and not asked for here, and why. */
const ELSEWHERE: readonly (readonly [action: RegExp, why: string])[] = [
  [/^logs:|^xray:/, 'the laptop keeps no logs and traces'],
  [/:ReportFailedBatches$/, 'a batch is given up on after hours: test/local/runtime/event-source'],
  [/:KeepFailedActions$/, 'actions of rules fail in test/e2e/grants.test.ts'],
  [/^kinesis:ListShards$|^sqs:ChangeMessageVisibility$/, 'pollers of Lambda ask so on AWS only'],
];

interface Asked {
  readonly need: Need;
  readonly allowed: boolean;
}

let laptop: AccessLaptop;
let stack: ResolvedStack;
const asked = new Map<string, Asked[]>();
const roleArn = (id: string): string => stack.resources.get(id)?.arn ?? '';

beforeAll(async () => {
  const { template } = packageService({ params: EVERYTHING });
  stack = resolveTemplate(template, {
    ...{ accountId: '000000000000', region: 'eu-central-1' },
    ...{ partition: 'aws', stackName: 'tributary' },
  });
  const authority = await createAuthority([['CN', 'Fleet CA']], VALIDITY);
  const { certificateId: id } = parseCertificate(authority.certificatePem);
  laptop = await bootAccess({
    onNeed: (arn, need, { allowed }) => {
      asked.set(arn, [...(asked.get(arn) ?? []), { need, allowed }]);
    },
    change: ({ Resources }) => {
      const environment = Resources['RegisterLambdaFunction']?.Properties?.['Environment'];
      const { Variables } = environment as { Variables: Record<string, string> };
      Object.assign(Variables, { AUTHORITIES: JSON.stringify([{ id, fleets: ['acme'] }]) });
    },
  });
  await liveThrough(authority);
});
afterAll(() => laptop.close());

async function liveThrough(authority: Credential): Promise<void> {
  const life = openDeviceLife({ client: laptop.client, stage: 'dev' });
  const mqtt = (thing: string, identity: Credential) =>
    connectMqtts(laptop, laptop.portOf('x509-mqtt'), thing, certificateOf(identity));
  const telemetry = (thing: string) => `dt/acme/${thing}/telemetry`;

  await comeJustInTime(authority, mqtt);
  const first = await life.add('probe-2', 'acme', () => {});
  const next = await life.rotate('probe-2', () => {});
  const client = await mqtt('probe-2', next);
  await client.publishAsync(telemetry('probe-2'), '{"temperature": 21.5}', { qos: 1 });
  await client.publishAsync(telemetry('probe-2'), 'no json', { qos: 1 });
  await client.endAsync();

  const headers = signedParameters(tokenFor('probe-3'));
  await post(laptop, laptop.portOf('custom-https'), telemetry('probe-3'), { headers });
  const { secret } = await life.issueSecret('shed-1', 'acme', undefined);
  const shed = { username: 'shed-1', password: secret };
  await (await connectMqtts(laptop, laptop.portOf('custom-mqtt'), 'shed-1', shed)).endAsync();
  await laptop.idle();

  await life.enrol('SN-1', 'probe-2', 'acme');
  await invoke('provision', claimOf(first.certificatePem));
  await invoke('expiry', { tick: 'begin' });
  for (const file of readdirSync('events')) {
    const name = file.split('.')[0] ?? '';
    const functionName = name === 'unsigned' ? 'authorize-unsigned' : name;
    await invoke(functionName, JSON.parse(readFileSync(`events/${file}`, 'utf8')));
  }
  await laptop.idle();
}

async function comeJustInTime(
  authority: Credential,
  mqtt: (thing: string, identity: Credential) => ReturnType<typeof connectMqtts>,
): Promise<void> {
  const iot = new IoTClient(laptop.client);
  const registration = { setAsActive: true, allowAutoRegistration: true } as const;
  await iot.send(
    new RegisterCACertificateCommand({
      caCertificate: authority.certificatePem,
      certificateMode: 'SNI_ONLY',
      ...registration,
    }),
  );
  iot.destroy();
  const subject = [
    ['CN', 'line-1'],
    ['O', 'acme'],
  ] as const;
  for (const _ of ['first', 'next']) {
    const certificate = await issueClient(authority, subject, VALIDITY);
    await mqtt('line-1', certificate).catch(() => undefined);
    await laptop.idle();
    await (await mqtt('line-1', certificate)).endAsync();
    await laptop.idle();
  }
}

const claimOf = (certificatePem: string) => ({
  claimCertificateId: 'c'.repeat(64),
  certificateId: 'd'.repeat(64),
  certificatePem,
  templateArn: 'arn:aws:iot:eu-central-1:000000000000:provisioningtemplate/tributary-dev-claim',
  clientId: 'claim-SN-1',
  parameters: { SerialNumber: 'SN-1' },
});

async function invoke(name: string, event: unknown): Promise<void> {
  const lambda = new LambdaClient(laptop.client);
  const FunctionName = `tributary-dev-${name}`;
  await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  lambda.destroy();
}

interface Grant {
  readonly where: string;
  readonly actions: readonly string[];
  /** The role's policies without this statement. */
  readonly others: readonly { readonly name: string; readonly document: object }[];
}

interface Document {
  readonly Statement: readonly {
    readonly Sid?: string;
    readonly Action: string | readonly string[];
  }[];
}

/** Each statement of a role, those of the policies beside it as well. */
function grantsOf(roleId: string): Grant[] {
  const role = stack.resources.get(roleId);
  const inline = (role?.properties['Policies'] ?? []) as { PolicyDocument: Document }[];
  const beside = [...stack.resources.values()]
    .filter(({ type, properties }) => {
      const named = properties['Roles'];
      return type === 'AWS::IAM::Policy' && Array.isArray(named) && named.includes(role?.name);
    })
    .map(({ properties }) => ({ PolicyDocument: properties['PolicyDocument'] as Document }));
  const statements = [...inline, ...beside].flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );
  return statements.map((statement) => ({
    where: `${roleId}:${statement.Sid ?? ''}`,
    actions: [statement.Action].flat(),
    others: statements
      .filter((other) => other !== statement)
      .map((other, at) => ({
        name: String(at),
        document: { Version: '2012-10-17', Statement: [other] },
      })),
  }));
}

const isElsewhere = (text: string): boolean => ELSEWHERE.some(([pattern]) => pattern.test(text));

describe('a role', () => {
  it('lacks nothing that its function or rule asks for', () => {
    const lacking = [...asked.values()].flat().filter(({ allowed }) => !allowed);
    expect(lacking.map(({ need }) => `${need.action} on ${need.resource}`)).toEqual([]);
  });

  it.each(WHOLE)('%s has no grant that nothing uses', (roleId) => {
    const used = new Set(asked.get(roleArn(roleId))?.map(({ need }) => need.action));
    const idle = grantsOf(roleId)
      .filter(({ where }) => !isElsewhere(where))
      .flatMap(({ where, actions }) =>
        actions
          .filter((action) => !used.has(action) && !isElsewhere(action))
          .map((action) => `${where}: ${action}`),
      );
    expect(idle).toEqual([]);
  });

  it.each(WHOLE)('%s without any one of its grants is refused a call', (roleId) => {
    const needs = asked.get(roleArn(roleId)) ?? [];
    const spare = grantsOf(roleId)
      .filter(({ where, actions }) => !isElsewhere(where) && !actions.every(isElsewhere))
      .filter(({ others }) => {
        const left = compilePolicies(others, 'iam');
        return needs.every(
          ({ need }) => decide(left, { ...need, context: need.context ?? {} }).allowed,
        );
      })
      .map(({ where }) => where);
    expect(needs).not.toEqual([]);
    expect(spare).toEqual([]);
  });
});
