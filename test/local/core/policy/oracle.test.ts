import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePolicies, decide } from '../../../../local/core/policy/index.ts';
import { type OracleStatement, oracleAllows } from './oracle.ts';

const ARN = 'arn:aws:iot:eu-central-1:000000000000:';

const variable = (name: string): string => `\${${name}}`;

const compile = (Statement: readonly OracleStatement[]) =>
  compilePolicies([{ name: 'p', document: { Version: '2012-10-17', Statement } }], 'iot');

const VARIABLES = [
  'iot:ClientId',
  'iot:Connection.Thing.ThingName',
  'iot:Connection.Thing.Attributes[fleet]',
  'iot:CertificateId',
  'iot:Certificate.Subject.CommonName',
];

const level = fc.constantFrom('a', 'b', '+', '#', '*', '?', '$', 'ab', '😀', '');
const place = fc.oneof(
  { weight: 4, arbitrary: level },
  { weight: 1, arbitrary: fc.constantFrom(...VARIABLES).map(variable) },
  { weight: 1, arbitrary: fc.constantFrom('a*', '*b', '?*', variable('*'), '*?b*') },
);
const path = (step: fc.Arbitrary<string>) =>
  fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => steps.join('/'));
const type = fc.constantFrom('client/', 'topic/', 'topicfilter/');
const resource = fc.oneof(
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 9, arbitrary: fc.tuple(type, path(place)).map(([t, p]) => `${ARN}${t}${p}`) },
);
const action = fc.constantFrom('iot:Connect', 'iot:Publish', 'iot:Subscribe', 'iot:Receive');
const actionPattern = fc.oneof(
  action,
  fc.constantFrom('*', 'iot:*', 'iot:S*', 'iot:??????e', 'IOT:publish'),
);

const value = fc.constantFrom('a', 'b', 'ab', '*', '+', '#', '$', '?', 'a/b', '😀', 'true');
const expected = fc.array(
  fc.oneof(value, fc.constantFrom('a*', variable('iot:ClientId'), variable('iot:CertificateId'))),
  { minLength: 1, maxLength: 2 },
);
const condition = fc.oneof(
  fc.record({
    operator: fc.constantFrom(
      'StringEquals',
      'StringLike',
      'StringNotEquals',
      'StringLikeIfExists',
    ),
    key: fc.constantFrom('iot:DomainName', 'iot:ClientId', 'iot:CertificateId'),
    values: expected,
  }),
  fc.record({
    operator: fc.constantFrom('ForAllValues:StringEquals', 'ForAnyValue:StringLike'),
    key: fc.constant('iot:ConnectAttributes'),
    values: fc.subarray(['LastWill', 'PersistentConnect', 'Last*'], { minLength: 1 }),
  }),
  fc.record({
    operator: fc.constantFrom('Bool', 'Null'),
    key: fc.constantFrom('iot:Connection.Thing.IsAttached', 'iot:DomainName'),
    values: fc.subarray(['true', 'false'], { minLength: 1 }),
  }),
);

const some = (item: fc.Arbitrary<string>) => fc.array(item, { minLength: 1, maxLength: 3 });
const statement = fc
  .record({
    Effect: fc.constantFrom('Allow' as const, 'Allow' as const, 'Deny' as const),
    actions: fc.tuple(fc.constantFrom('Action', 'Action', 'NotAction'), some(actionPattern)),
    resources: fc.tuple(fc.constantFrom('Resource', 'Resource', 'NotResource'), some(resource)),
    conditions: fc.array(condition, { maxLength: 2 }),
  })
  .map(
    ({ Effect, actions, resources, conditions }): OracleStatement => ({
      Effect,
      [actions[0]]: actions[1],
      [resources[0]]: resources[1],
      Condition: Object.fromEntries(
        conditions.map(({ operator, key, values }) => [operator, { [key]: values }]),
      ),
    }),
  );

const context = fc.dictionary(
  fc.constantFrom(...VARIABLES, 'iot:DomainName', 'iot:Connection.Thing.IsAttached'),
  fc.oneof(value, fc.constant('x'.repeat(1025))),
);
const attributes = fc.subarray(['LastWill', 'PersistentConnect']);
const request = fc
  .record({
    action,
    resource: fc.tuple(type, path(level)).map(([t, p]) => `${ARN}${t}${p}`),
    context,
    attributes,
  })
  .map(({ attributes: wanted, ...rest }) => ({
    ...rest,
    context: { ...rest.context, 'iot:ConnectAttributes': wanted },
  }));

describe('the policy engine and a brute-force reading of the same rules', () => {
  it('agree on random policies and requests, and always have an explanation', () => {
    const policies = fc.array(statement, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(policies, fc.array(request, { minLength: 1, maxLength: 8 }), (some, requests) => {
        const compiled = compile(some);
        for (const each of requests) {
          const decision = decide(compiled, each);
          expect(decision.allowed).toBe(oracleAllows(some, each));
          expect(decision.explanation).toContain(each.resource);
          expect(decision.fix === undefined).toBe(decision.allowed);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('agree on every filter of up to four levels', () => {
    const LEVELS = ['a', 'b', '+', '#', '*', '$'];
    const longer = (filters: readonly string[]) =>
      filters.flatMap((filter) => LEVELS.map((step) => `${filter}/${step}`));
    const [one, two, three] = [LEVELS, longer(LEVELS), longer(longer(LEVELS))];
    const filters = [...one, ...two, ...three, ...longer(three)];
    const patterns = [
      '*',
      'a/*',
      'a/+/#',
      '+/b',
      '?/?',
      '*/b/*',
      `a/${variable('iot:ClientId')}/*`,
      '$/*',
      '#',
    ];
    const client = { 'iot:ClientId': '+' };
    const disagreements = patterns.flatMap((pattern) => {
      const statements: readonly OracleStatement[] = [
        { Effect: 'Allow', Action: ['iot:Subscribe'], Resource: [`${ARN}topicfilter/${pattern}`] },
        { Effect: 'Deny', Action: ['iot:Subscribe'], Resource: [`${ARN}topicfilter/a/b/*`] },
      ];
      const compiled = compile(statements);
      return filters.filter((filter) => {
        const asked = {
          action: 'iot:Subscribe',
          resource: `${ARN}topicfilter/${filter}`,
          context: client,
        };
        return decide(compiled, asked).allowed !== oracleAllows(statements, asked);
      });
    });
    expect(filters).toHaveLength(6 + 36 + 216 + 1296);
    expect(disagreements).toEqual([]);
  });
});
