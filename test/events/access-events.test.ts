import { readdirSync, readFileSync } from 'node:fs';
import { BatchGetItemCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  DescribeThingCommand,
  IoTClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { REFUSAL } from '../../shared/core/access/answer.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService } from '../support/template.ts';

const NOTHING_FAILED = { batchItemFailures: [] };

/** What each sample is answered with, by a stage that trusts nobody yet. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  'authorize.mqtt': REFUSAL,
  'authorize.wss': REFUSAL,
  'authorize.https': REFUSAL,
  'authorize.refused-unsigned': REFUSAL,
  'register.announced': NOTHING_FAILED,
  'register.refused-account': NOTHING_FAILED,
  'rotation.connected': NOTHING_FAILED,
  'expiry.continue': undefined,
  'provision.refused-serial': { allowProvisioning: false },
  'dashboard.admit': { admitted: true },
};

const FUNCTIONS: Readonly<Record<string, string>> = {
  authorize: 'AuthorizeLambdaFunction',
  register: 'RegisterLambdaFunction',
  rotation: 'RotationLambdaFunction',
  expiry: 'ExpiryLambdaFunction',
  provision: 'ProvisionLambdaFunction',
  dashboard: 'DashboardLambdaFunction',
};

const functionOf = (name: string): string => name.split('.')[0] ?? '';
const samples = readdirSync('events')
  .map((file) => file.replace(/\.json$/, ''))
  .filter((name) => functionOf(name) in FUNCTIONS);

const { template } = packageService({ stage: 'prod', params: EVERYTHING });

const dynamo = mockClient(DynamoDBClient);
const iot = mockClient(IoTClient);
const before = { ...process.env };
afterAll(() => {
  process.env = before;
});

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** The handler as deployed: its environment is the template's. */
async function handlerOf(name: string): Promise<Handler> {
  const properties = template.Resources[FUNCTIONS[name] ?? '']?.Properties ?? {};
  const { Variables } = properties['Environment'] as { Variables: Record<string, string> };
  Object.assign(process.env, Variables, { LOG_LEVEL: 'error', AWS_REGION: 'eu-central-1' });
  const module: { handler: Handler } = await import(`../../functions/${name}/handler.ts`);
  return module.handler;
}

describe('a sample, through its handler,', () => {
  beforeEach(() => {
    dynamo.reset();
    iot.reset();
    dynamo.on(BatchGetItemCommand).resolves({ Responses: {} });
    dynamo.on(GetItemCommand).resolves({});
    const missing = new ResourceNotFoundException({ $metadata: {}, message: 'no such thing' });
    iot
      .on(DescribeThingCommand)
      .rejectsOnce(missing)
      .resolves({ attributes: { fleet: 'acme' } });
    iot.on(CreateThingCommand).resolves({});
    iot.on(AttachThingPrincipalCommand).resolves({});
    iot.on(AttachPolicyCommand).resolves({});
  });

  it('is answered for, each of them', () => {
    expect(new Set(samples)).toEqual(new Set(Object.keys(ANSWERS)));
  });

  it.each(samples)('%s is answered as expected', async (name) => {
    const handler = await handlerOf(functionOf(name));
    const event: unknown = JSON.parse(readFileSync(`events/${name}.json`, 'utf8'));
    const context = {
      getRemainingTimeInMillis: () => 60_000,
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:f',
    };
    expect(await handler(event, context)).toEqual(ANSWERS[name]);
  });
});
