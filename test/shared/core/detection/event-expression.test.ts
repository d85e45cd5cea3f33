import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  compileExpression,
  type EventScope,
  type EventValue,
} from '../../../../shared/core/detection/event-expression.ts';

const INPUTS: Readonly<Record<string, EventValue>> = {
  'motor sensor.pressure': { type: 'integer', value: 80 },
  'motor name': { type: 'string', value: 'pump' },
  'motor on': { type: 'boolean', value: true },
};

const scope: EventScope = {
  input: (name, path) => INPUTS[`${name} ${path}`] ?? { type: 'undefined' },
  variable: (name) => (name === 'count' ? { type: 'integer', value: 3 } : { type: 'undefined' }),
  timedOut: (timer) => timer === 'wait',
  isCurrent: (input) => input === 'motor',
  trigger: 'Message',
};

const evaluated = (text: string): unknown => {
  const result = compileExpression(text)(scope);
  return 'value' in result ? result.value : result.type;
};

it.each([
  { text: '$input.motor.sensor.pressure > 70', value: true },
  { text: '$variable.count - 1', value: 2 },
  { text: '7 / 2', value: 4 },
  { text: '7.0 / 2', value: 3.5 },
  { text: '1 + 2 * 3 - -4', value: 11 },
  { text: '(1 + 2) * 3', value: 9 },
  { text: '13 | 5', value: 13 },
  { text: '13 & 5', value: 5 },
  { text: '13 ^ 5', value: 8 },
  { text: '~13', value: -14 },
  { text: "'my' + 'string'", value: 'mystring' },
  { text: '!false && $input.motor.on', value: true },
  { text: '$input.motor.absent > 1 || true', value: true },
  { text: '$input.motor.absent > 1', value: 'undefined' },
  { text: '$input.motor.absent > 1 && true', value: 'undefined' },
  { text: 'isUndefined($input.motor.absent)', value: true },
  { text: 'timeout("wait")', value: true },
  { text: 'timeout("other")', value: false },
  { text: 'currentInput("motor")', value: true },
  { text: 'triggerType("Message")', value: true },
  { text: "startsWith($input.motor.name, 'pu')", value: true },
  { text: "contains($input.motor.name, 'x')", value: false },
  { text: "convert(Decimal, '2.5') * 2", value: 5 },
  { text: 'convert(String, 2.5)', value: '2.5' },
  { text: 'bitxor(13, 5)', value: 8 },
  { text: "1 + 'a'", value: 'undefined' },
  { text: '1 / 0', value: 'undefined' },
  { text: '$input.motor.`sensor`.pressure == 80', value: true },
])('evaluates $text to $value', ({ text, value }) => {
  expect(evaluated(text)).toBe(value);
});

it.each([
  { text: '', problem: 'wants a value at character 1' },
  { text: '1 +', problem: 'wants a value at character 4' },
  { text: '1 2', problem: 'wants an operator or the end at character 3' },
  { text: '(1', problem: 'wants ) at character 3' },
  { text: 'abs(1)', problem: 'there is no function abs at character 1' },
  { text: 'timeout()', problem: 'timeout does not take these arguments' },
  { text: '1 # 2', problem: 'what is this at character 2' },
])('says where $text goes wrong', ({ text, problem }) => {
  expect(() => compileExpression(text)).toThrow(problem);
});

it('compiles or refuses any text, without other errors and without end', () => {
  const parts = fc.constantFrom(
    '(',
    ')',
    '!',
    '1',
    "'a'",
    '+',
    '&&',
    '$input.a.b',
    'timeout',
    '"x"',
    ' ',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(parts, { maxLength: 200 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(text, (any) => {
      try {
        compileExpression(any)(scope);
      } catch (error) {
        expect(error).toMatchObject({ name: 'EventExpressionError' });
      }
    }),
    { numRuns: 1000 },
  );
});
