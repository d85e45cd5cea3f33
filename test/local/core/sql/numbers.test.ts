import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileRule } from '../../../../local/core/sql/index.ts';
import { ENV, messageOf } from './support.ts';

/** The text an expression becomes, over a payload given as text. */
const textOf = (expression: string, payload = '{}'): string => {
  const rule = compileRule(`SELECT VALUE ${expression} FROM 'dt/#'`);
  const outcome = rule.evaluate(messageOf(Buffer.from(payload)), ENV);
  return outcome.matched ? Buffer.from(outcome.payload).toString() : outcome.why;
};

describe('a number of a payload', () => {
  it.each([
    ['9007199254740993', '9007199254740993'],
    ['-9007199254740993', '-9007199254740993'],
    ['1234567890123456789012345678901234', '1234567890123456789012345678901234'],
    ['0.1234567890123456789012345678901234', '0.1234567890123456789012345678901234'],
    ['12345678901234567890123456789012345', '1.234567890123456789012345678901234E34'],
    ['1e400', '1E400'],
    ['-1.5e-400', '-1.5E-400'],
    ['9.99e999', '9.99E999'],
    ['1e1000', ''],
    ['1e-1200', '0'],
    ['10.0', '10'],
    ['1E2', '100'],
    ['0.1', '0.1'],
    ['-0', '0'],
    ['1e22', '10000000000000000000000'],
  ])('%s comes out as %s', (number, text) => {
    expect(textOf('x', `{"x":${number}}`)).toBe(text);
  });
});

describe('arithmetic', () => {
  it.each([
    ['0.1 + 0.2', '0.3'],
    ['1.1 * 1.1', '1.21'],
    ['0.3 - 0.1', '0.2'],
    ['1.1 * 3', '3.3'],
    ['9007199254740991 + 2', '9007199254740993'],
    ['9007199254740993 - 9007199254740992', '1'],
    ['99999999 * 99999999999', '9999999899900000001'],
    ['1e400 * 2', '2E400'],
    ['1e400 - 1e400', '0'],
    ['1e999 * 10', ''],
    ['1e400 / 1e400', '1'],
    ['1e-999 / 10', '0'],
    ['9007199254740993 / 2', '4503599627370496'],
    ['9007199254740993 % 2', '1'],
    ['1e400 % 7.5', ''],
    ['2.5 / 3', '0.8333333333333333333333333333333333'],
    ['-2.5 / 3', '-0.8333333333333333333333333333333333'],
    ['0.5 / 3', '0.1666666666666666666666666666666667'],
    ['99.9 / 3.7', '27'],
    ['123456.7 / 0.7', '176366.7142857142857142857142857143'],
    ['0.000001 / 3', '3.333333333333333333333333333333333E-7'],
    ['2.5 / 1024', '0.00244140625'],
    ['(2.5 / 3) * 3', '2.5'],
    ['9007199254740993 = 9007199254740993.0', 'true'],
    ['9007199254740993 = 9007199254740992', 'false'],
    ['9007199254740993 > 9007199254740992', 'true'],
    ['floor(9007199254740993.5)', '9007199254740993'],
    ['ceil(-9007199254740993.5)', '-9007199254740993'],
    ['round(9007199254740993.5)', '9007199254740994'],
    ['round(-0.4)', '0'],
    ['trunc(12345678901234567890.987, 2)', '12345678901234567890.98'],
    ['abs(-9007199254740993)', '9007199254740993'],
    ['-(9007199254740993)', '-9007199254740993'],
    ['power(2, 64)', '18446744073709552000'],
    ['bitand(36893488147419103233, 3)', '1'],
    ['bitxor(-1, 1)', '-2'],
    ['mod(9007199254740993, 10)', '3'],
    ["cast('9007199254740993' AS Int)", '9007199254740993'],
    ["9007199254740993 + ''", '"9007199254740993"'],
    ["1e400 + ''", '"1E400"'],
    ["abs('1E400')", '1E400'],
  ])('%s is %s', (expression, text) => {
    expect(textOf(expression)).toBe(text);
  });

  it('of short decimals is that of their digits, as integers of any size tell', () => {
    const cents = fc.integer({ min: -999_999, max: 999_999 });
    const decimal = (value: number): string => {
      const digits = String(Math.abs(value)).padStart(3, '0');
      return `${value < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
    };
    fc.assert(
      fc.property(cents, cents, (a, b) => {
        const payload = `{"a":${decimal(a)},"b":${decimal(b)}}`;
        expect(Number(textOf('(a + b) * 100', payload))).toBe(a + b);
        expect(Number(textOf('(a - b) * 100', payload))).toBe(a - b);
        expect(Number(textOf('a * b * 10000', payload))).toBe(a * b + 0);
        if (b !== 0) expect(Number(textOf('(a % b) * 100', payload))).toBe((a % b) + 0);
      }),
    );
  });

  it('divides decimals to 34 digits, whichever way it takes', () => {
    const part = fc.integer({ min: 1, max: 999_999_999 });
    fc.assert(
      fc.property(part, part, (a, b) => {
        const quotient = textOf('a / b', `{"a":${a}.5,"b":${b}}`);
        const digits = 10n ** 40n;
        const exact = ((BigInt(a) * 10n + 5n) * digits) / (BigInt(b) * 10n);
        const [whole = '', fraction = ''] = plainDigits(quotient);
        const found = BigInt(whole + fraction.padEnd(40, '0').slice(0, 40));
        const difference = found > exact ? found - exact : exact - found;
        // half a unit of the 34th digit, of which those before the point take their share
        expect(difference).toBeLessThanOrEqual(10n ** BigInt(6 + whole.replace(/^0+/, '').length));
      }),
    );
  });
});

/** Digits before and behind the point, without an exponent. */
function plainDigits(text: string): readonly string[] {
  const [mantissa = '', exponent = '0'] = text.split('E');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const zeros = Math.max(0, -Number(exponent));
  return zeros === 0 ? [whole, fraction] : ['0', '0'.repeat(zeros - 1) + whole + fraction];
}
