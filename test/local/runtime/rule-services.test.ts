import { describe, expect, it } from '@jest/globals';
import type { RuleSinks } from '../../../local/runtime/rule-actions/action.ts';
import { createRuleServices } from '../../../local/runtime/rule-services.ts';
import { ACCOUNT, arn, NOW_MS, ROLE } from './rules-world.ts';

const FUNCTION = arn('lambda', 'function:enrich');
const PERMISSION = {
  FunctionName: 'enrich',
  Action: 'lambda:InvokeFunction',
  Principal: 'iot.amazonaws.com',
};

interface World {
  readonly sinks?: Partial<RuleSinks>;
  readonly answer?: unknown;
  readonly late?: boolean;
}

function setup({ sinks = {}, answer = {}, late = false }: World = {}) {
  const asked: unknown[] = [];
  const clock = { now: NOW_MS };
  const services = createRuleServices({
    rule: { name: 'r', arn: arn('iot', 'rule/r') },
    accountId: ACCOUNT,
    sinks: { operations: [], ...sinks },
    service: (target) => async (roleArn, input) => {
      asked.push([target, roleArn, input]);
      return answer;
    },
    now: () => clock.now,
    sleep: (ms) => (late && ms === 2000 ? Promise.resolve() : new Promise(() => {})),
  });
  const call = (name: string, ...args: Parameters<(typeof services)[string]>[0]) => {
    const service = services[name];
    if (service === undefined) throw new Error(`no ${name}`);
    return service(args);
  };
  return { services, call, asked, clock };
}

describe('aws_lambda', () => {
  const lambda = (permissions: readonly unknown[], result: unknown) => ({
    lambda: {
      permissions,
      invokeAsync: () => undefined,
      invoke: async () => Object(await result),
    },
  });

  it('answers with what the function answers', async () => {
    const sinks = lambda([PERMISSION], { ok: true, payload: { x: 1 } });
    expect(await setup({ sinks }).call('aws_lambda', FUNCTION, { a: 1 })).toEqual({ x: 1 });
  });

  it.each([
    {
      what: 'a function that fails',
      result: { ok: false, payload: { errorType: 'E' } },
      says: /"E"/,
    },
    { what: 'one that may not be invoked', permissions: [], says: /no AWS::Lambda::Permission/ },
    { what: 'an Undefined event', event: undefined, says: /Undefined/ },
    { what: 'no ARN', target: 7, says: /ARN of a function/ },
  ])('fails for $what', async (given) => {
    const { permissions = [PERMISSION], result = { ok: true, payload: 1 }, says } = given;
    const { call } = setup({ sinks: lambda(permissions, result) });
    const event = 'event' in given ? given.event : {};
    await expect(call('aws_lambda', given.target ?? FUNCTION, event)).rejects.toThrow(says);
  });

  it('waits two seconds and no longer', async () => {
    const sinks = lambda([PERMISSION], new Promise(() => {}));
    const { call } = setup({ sinks, late: true });
    await expect(call('aws_lambda', FUNCTION, {})).rejects.toThrow('within 2000 ms');
  });
});

describe('get_dynamodb', () => {
  it('reads one item as plain JSON, with text and numbers as keys', async () => {
    const Item = {
      n: { N: '1.5' },
      big: { N: '9007199254740993' },
      s: { S: 'x' },
      l: { L: [{ BOOL: true }, { NULL: true }] },
      m: { M: { b: { B: 'AA==' } } },
      ns: { NS: ['1', '2'] },
    };
    const { call, asked } = setup({ answer: { Item } });
    expect(await call('get_dynamodb', 't', 'pk', 'a', 'sk', 7, ROLE)).toEqual({
      n: 1.5,
      big: 9007199254740993n,
      s: 'x',
      l: [true, null],
      m: { b: 'AA==' },
      ns: [1, 2],
    });
    expect(asked).toEqual([
      [
        'DynamoDB_20120810.GetItem',
        ROLE,
        { TableName: 't', Key: { pk: { S: 'a' }, sk: { N: '7' } } },
      ],
    ]);
  });

  it('is Undefined where there is no item', async () => {
    expect(await setup().call('get_dynamodb', 't', 'pk', 'a', ROLE)).toBeUndefined();
  });

  it('reads items of 8 KB', async () => {
    const read = (size: number) =>
      setup({ answer: { Item: { s: { S: 'x'.repeat(size) } } } }).call(
        'get_dynamodb',
        't',
        'pk',
        'a',
        ROLE,
      );
    expect(await read(8_000)).toBeDefined();
    await expect(read(8_192)).rejects.toThrow(/a rule reads 8192/);
  });

  it('fails for a key that is neither text nor number', async () => {
    await expect(setup().call('get_dynamodb', 't', 'pk', true, ROLE)).rejects.toThrow(/a key/);
  });
});

it.each([
  { name: 'DescribeThing', target: 'iot GET /things/{thingName}' },
  { name: 'ListThingGroupsForThing', target: 'iot GET /things/{thingName}/thing-groups' },
])('get_registry_data asks $name under its role', async ({ name, target }) => {
  const { call, asked } = setup({ answer: { x: 1 } });
  expect(await call('get_registry_data', name, 'pump-7', ROLE)).toEqual({ x: 1 });
  expect(asked).toEqual([[target, ROLE, { thingName: 'pump-7' }]]);
});

describe('descriptors of decode', () => {
  const bucket = (bytes: number, allowed = true) => {
    const reads: string[] = [];
    return {
      reads,
      sinks: {
        objects: {
          put: async () => {},
          get: async (name: string, key: string) => {
            reads.push(`${name}/${key}`);
            return Buffer.alloc(bytes);
          },
        },
        authorizeIot: () => ({ allowed }),
      },
    };
  };

  it('are read once in 15 minutes', async () => {
    const { sinks, reads } = bucket(32_768);
    const { call, clock } = setup({ sinks });
    await call('decode_proto', 'b', 'k');
    clock.now += 15 * 60_000 - 1;
    await call('decode_proto', 'b', 'k');
    expect(reads).toEqual(['b/k']);
    clock.now += 1;
    await call('decode_proto', 'b', 'k');
    expect(reads).toEqual(['b/k', 'b/k']);
  });

  it('have 32 KB, and a bucket policy that lets IoT read them', async () => {
    const large = setup({ sinks: bucket(32_769).sinks });
    await expect(large.call('decode_proto', 'b', 'k')).rejects.toThrow(/at most 32768/);
    const closed = setup({ sinks: bucket(1, false).sinks });
    await expect(closed.call('decode_proto', 'b', 'k')).rejects.toThrow(/BucketPolicy of b/);
  });
});

it('what the laptop has no service for is not there', () => {
  const { services } = setup();
  expect(Object.keys(services).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'get_dynamodb',
    'get_registry_data',
  ]);
});
