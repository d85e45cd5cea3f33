import { describe, expect, it } from '@jest/globals';
import { type SampleWorld, testRules } from '../../local/rule-test.ts';

const $ = (text: string) => `\${${text}}`;
const rule = (Sql: string, more: object = {}) => ({
  Type: 'AWS::IoT::TopicRule',
  Properties: {
    RuleName: 'shop_dev_hot',
    TopicRulePayload: { AwsIotSqlVersion: '2016-03-23', Sql, Actions: [], ...more },
  },
});
const named = (name: string, Sql: string) => {
  const declared = rule(Sql);
  return { ...declared, Properties: { ...declared.Properties, RuleName: name } };
};

const TEMPLATE = {
  Resources: {
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'errors' } },
    Hot: rule("SET @t = temperature SELECT @t AS t FROM 'dt/+' WHERE temperature > 30", {
      Actions: [
        { Republish: { Topic: `hot/${$('topic(2)')}/${$('@t')}`, Qos: 1, RoleArn: 'arn:role' } },
      ],
      ErrorAction: { Sqs: { QueueUrl: { Ref: 'Queue' }, RoleArn: 'arn:role' } },
    }),
    All: named('shop_dev_all', "SELECT * FROM '#'"),
    Off: { ...named('shop_dev_off', "SELECT * FROM '#'") },
    Shadow: named(
      'shop_dev_shadow',
      "SELECT get_thing_shadow('x', 'arn:aws:iam::1:role/r') AS s FROM 'dt/#'",
    ),
  },
};
Object.assign(TEMPLATE.Resources.Off.Properties.TopicRulePayload, { RuleDisabled: true });

const MESSAGE = { topic: 'dt/probe-1', payload: { temperature: 31 } };
const only = async (world: SampleWorld, message = MESSAGE) => {
  const [first, ...others] = await testRules(TEMPLATE, message, world);
  expect(others).toEqual([]);
  return first;
};

describe('testRules', () => {
  it('runs every rule of a template, and says of each why it does not match', async () => {
    const tests = await testRules(TEMPLATE, { ...MESSAGE, payload: { temperature: 3 } });
    expect(tests.map((test) => [test.rule, test.matched || test.why])).toEqual([
      ['shop_dev_hot', 'WHERE temperature > 30 was false: temperature = 3'],
      ['shop_dev_all', true],
      ['shop_dev_off', 'the rule is disabled'],
      ['shop_dev_shadow', expect.stringContaining('get_thing_shadow')],
    ]);
  });

  it.each(['shop_dev_hot', 'hot', 'Hot'])('finds a rule by %s', async (name) => {
    expect(await only({ rule: name })).toMatchObject({
      rule: 'shop_dev_hot',
      matched: true,
      payload: Buffer.from('{"t":31}'),
      actions: [
        {
          kind: 'Republish',
          isErrorAction: false,
          parameters: { Topic: 'hot/probe-1/31', Qos: 1, RoleArn: 'arn:role' },
        },
        {
          kind: 'Sqs',
          isErrorAction: true,
          parameters: {
            QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/000000000000/errors',
            RoleArn: 'arn:role',
          },
        },
      ],
    });
  });

  it('names the rules there are where none is meant', async () => {
    await expect(testRules(TEMPLATE, MESSAGE, { rule: 'cold' })).rejects.toThrow(
      'no rule cold; the template has shop_dev_hot, shop_dev_all',
    );
  });

  it('gives Basic Ingest to the rule it names alone, whatever its FROM', async () => {
    const message = { topic: '$aws/rules/shop_dev_hot/x', payload: { temperature: 31 } };
    const tests = await testRules(TEMPLATE, message);
    expect(tests.map(({ matched }) => matched)).toEqual([true, false, false, false]);
  });

  it('answers for services where it is told to', async () => {
    const services = { get_thing_shadow: async () => ({ on: true }) };
    const test = await only({ rule: 'shadow', services });
    expect(test).toMatchObject({ payload: Buffer.from('{"s":{"on":true}}') });
  });

  it('takes a statement, and a payload as text, bytes or JSON', async () => {
    const payloads = ['{"a":1}', Buffer.from('{"a":1}'), { a: 1 }];
    for (const payload of payloads) {
      const [test] = await testRules("SELECT a FROM 'x'", { topic: 'x', payload });
      expect(test).toMatchObject({ matched: true, payload: Buffer.from('{"a":1}') });
    }
  });

  it('says what SELECT names and does not write, and why', async () => {
    const [test] = await testRules("SELECT a, b.c AS d FROM 'x'", {
      topic: 'x',
      payload: { a: 1 },
    });
    expect(test).toMatchObject({
      undefined: [{ source: 'b.c', why: 'no field c in Undefined; there is no field b' }],
    });
  });
});
