import { describe, expect, it } from '@jest/globals';
import { compilePolicies, decide } from '../../../../local/core/policy/index.ts';

const holds = (
  operator: string,
  expected: unknown,
  actual: string | readonly string[] | undefined,
): boolean => {
  const statement = {
    Effect: 'Allow',
    Action: '*',
    Resource: '*',
    Condition: { [operator]: { 'my:Key': expected } },
  };
  const document = { Version: '2012-10-17', Statement: statement };
  const compiled = compilePolicies([{ name: 'p', document }], 'iam');
  return decide(compiled, { action: 'a:B', resource: 'arn:r', context: { 'my:Key': actual } })
    .allowed;
};

describe('condition operators', () => {
  it.each([
    ['StringEquals', 'a', 'a', true],
    ['StringEquals', 'a*', 'ab', false],
    ['StringEquals', ['a', 'b'], 'b', true],
    ['StringNotEquals', ['a', 'b'], 'b', false],
    ['StringNotEquals', ['a', 'b'], 'c', true],
    ['StringEqualsIgnoreCase', 'Ab', 'aB', true],
    ['StringNotEqualsIgnoreCase', 'Ab', 'aB', false],
    ['StringLike', 'a*c', 'abbc', true],
    ['StringLike', 'a?c', 'abbc', false],
    ['StringNotLike', 'a*', 'abc', false],
    ['ArnEquals', 'arn:aws:iot:*:1:topic/*', 'arn:aws:iot:eu:1:topic/a:b/c', true],
    ['ArnLike', 'arn:aws:iot:*:topic/*:x', 'arn:aws:iot:eu:1:topic/a', false],
    ['ArnLike', 'arn:aws:iot:*:*:topic/a:b', 'arn:aws:iot:eu:1:topic/a:b', true],
    ['ArnNotEquals', 'arn:aws:iot:*:1:topic/a', 'arn:aws:iot:eu:1:topic/b', true],
    ['ArnEquals', 'arn:aws:iot:*:1:topic/*', 'no arn', false],
    ['NumericEquals', 5, '5.0', true],
    ['NumericNotEquals', '5', '5', false],
    ['NumericLessThan', '5', '4.9', true],
    ['NumericLessThanEquals', '5', '5', true],
    ['NumericGreaterThan', '5', '5', false],
    ['NumericGreaterThanEquals', '5', '5', true],
    ['NumericEquals', '5', 'five', false],
    ['DateEquals', '2026-01-01T00:00:00Z', '1767225600', true],
    ['DateNotEquals', '2026-01-01', '2026-01-02', true],
    ['DateLessThan', '2026-01-01', '2025-12-31T23:59:59Z', true],
    ['DateLessThanEquals', '2026-01-01', '2026-01-01T00:00:00Z', true],
    ['DateGreaterThan', '2026-01-01', '2026-01-01T00:00:00+01:00', false],
    ['DateGreaterThanEquals', '1767225600', '2026-01-01', true],
    ['Bool', true, 'true', true],
    ['Bool', 'false', 'True', false],
    ['IpAddress', '10.0.0.0/8', '10.255.0.1', true],
    ['IpAddress', '10.0.0.1', '10.0.0.2', false],
    ['IpAddress', '127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['IpAddress', '2001:db8::/32', '2001:db8:1::1', true],
    ['IpAddress', '2001:db8::/32', '2001:db9::1', false],
    ['IpAddress', '0.0.0.0/0', '::1', false],
    ['IpAddress', '0.0.0.0/0', 'nonsense', false],
    ['NotIpAddress', ['10.0.0.0/8', '::1'], '::1', false],
    ['NotIpAddress', '10.0.0.0/8', '11.0.0.1', true],
    ['Null', 'true', undefined, true],
    ['Null', 'false', undefined, false],
    ['Null', 'false', 'a', true],
    ['Null', 'true', [], true],
  ] as const)('%s %j of %j: %s', (operator, expected, actual, outcome) => {
    expect(holds(operator, expected, actual)).toBe(outcome);
  });

  it.each([
    ['StringEquals', false],
    ['StringNotEquals', true],
    ['StringEqualsIfExists', true],
    ['ForAllValues:StringEquals', true],
    ['ForAnyValue:StringEquals', false],
    ['ForAnyValue:StringNotEquals', false],
    ['ForAllValues:StringEqualsIfExists', true],
  ] as const)('%s of an absent key: %s', (operator, outcome) => {
    expect(holds(operator, 'a', undefined)).toBe(outcome);
  });

  it.each([
    ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a'], [], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
    ['ForAnyValue:StringEquals', ['a'], ['c'], false],
    ['ForAllValues:StringNotEquals', ['a'], ['b', 'c'], true],
    ['ForAllValues:StringNotEquals', ['a'], ['a', 'c'], false],
    ['ForAnyValue:StringNotEquals', ['a'], ['a', 'c'], true],
    ['ForAnyValue:StringNotEquals', ['a'], ['a'], false],
    ['ForAnyValue:StringLike', ['La*'], ['LastWill'], true],
  ] as const)('%s %j of %j: %s', (operator, expected, actual, outcome) => {
    expect(holds(operator, expected, actual)).toBe(outcome);
  });

  it.each([
    ['NumericEquals', 'many', 'is not a number'],
    ['DateEquals', 'tomorrow', 'neither an ISO 8601 date nor epoch seconds'],
    ['Bool', 'yes', 'neither "true" nor "false"'],
    ['IpAddress', '10.0.0.0/33', 'neither an IP address nor a CIDR block'],
    ['IpAddress', '10.0.0', 'neither an IP address nor a CIDR block'],
    ['IpAddress', '1:2', 'neither an IP address nor a CIDR block'],
    ['ArnEquals', 'topic', 'is not an ARN'],
    ['Null', 'maybe', 'neither "true" (absent) nor "false" (present)'],
    ['NullIfExists', 'true', 'no condition operator is called "NullIfExists"'],
    ['Fits', 'a', 'no condition operator is called "Fits"'],
  ])('%s %j is refused', (operator, expected, problem) => {
    expect(() => holds(operator, expected, 'a')).toThrow(problem);
  });
});
