import { describe, expect, it } from '@jest/globals';
import { resolveTemplate } from '../../local/core/template/index.ts';
import { schemaProblems } from '../support/cloudformation-schema.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService, type Template } from '../support/template.ts';
import { changed } from '../support/template-change.ts';

const dev = packageService().template;
const prod = packageService({ stage: 'prod', params: EVERYTHING }).template;

describe('CloudFormation', () => {
  it.each([
    ['dev', dev],
    ['prod', prod],
  ])(
    'has nothing against the properties in the template of stage %s',
    (_stage, template: Template) => {
      expect(schemaProblems(template)).toEqual([]);
    },
  );

  it.each([
    ['dev', dev],
    ['prod', prod],
  ])(
    'leaves nothing in the template of stage %s that cannot be resolved',
    (stage, template: Template) => {
      const stack = {
        accountId: '000000000000',
        region: 'eu-central-1',
        partition: 'aws',
        stackName: `tributary-${stage}`,
      };
      expect(resolveTemplate(template, stack).problems).toEqual([]);
    },
  );

  it.each([
    {
      planted: 'an unknown type',
      path: 'DataKeyAlias.Type',
      value: 'AWS::KMS::Alia',
      problem: 'DataKeyAlias: no such resource type as AWS::KMS::Alia',
    },
    {
      planted: 'an unknown property',
      path: 'ReadingsTable.Properties.Tablename',
      value: 'x',
      problem: 'ReadingsTable: no such property as Tablename',
    },
    {
      planted: 'an unknown property deep inside',
      path: 'TelemetryRule.Properties.TopicRulePayload.ErrorAction.Sqs.Url',
      value: 'x',
      problem: 'TelemetryRule.TopicRulePayload.ErrorAction.Sqs: no such property as Url',
    },
    {
      planted: 'a missing property',
      path: 'TelemetryRule.Properties.TopicRulePayload.Sql',
      value: undefined,
      problem: 'TelemetryRule.TopicRulePayload: Sql is required',
    },
    {
      planted: 'a string for a number',
      path: 'UplinksStream.Properties.ShardCount',
      value: '2',
      problem: 'UplinksStream.ShardCount: takes a integer, not "2"',
    },
    {
      planted: 'an object for a list',
      path: 'DeadLettersQueuePolicy.Properties.Queues',
      value: {},
      problem: 'DeadLettersQueuePolicy.Queues: takes a list',
    },
    {
      planted: 'a value outside an enumeration',
      path: 'DataKey.Properties.KeySpec',
      value: 'AES',
      problem: expect.stringMatching(/^DataKey.KeySpec: takes one of SYMMETRIC_DEFAULT, /),
    },
    {
      planted: 'a reference to nothing',
      path: 'DataKeyAlias.Properties.TargetKeyId',
      value: { Ref: 'Key' },
      problem: 'DataKeyAlias: refers to Key, which is not there',
    },
    {
      planted: 'an attribute that the type has not',
      path: 'DataKeyAlias.Properties.TargetKeyId',
      value: { 'Fn::GetAtt': ['DataKey', 'Name'] },
      problem: 'DataKeyAlias: AWS::KMS::Key has no attribute Name',
    },
    {
      planted: 'a reference to nothing in a text',
      path: 'DataKey.Properties.Description',
      value: { 'Fn::Join': ['', ['of ', { 'Fn::GetAtt': ['Stream', 'Arn'] }]] },
      problem: 'DataKey: refers to Stream, which is not there',
    },
  ])('finds $planted', ({ path, value, problem }) => {
    expect(schemaProblems(changed(dev, path, value))).toEqual([problem]);
  });
});
