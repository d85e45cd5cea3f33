import type { CastType } from './ast.ts';
import { toBoolean, toNumber, toText } from './convert.ts';
import { floor, isZero } from './numbers.ts';
import { isNumber, type SqlValue } from './values.ts';

const asNumber = (value: SqlValue): SqlValue =>
  typeof value === 'boolean' ? Number(value) : toNumber(value);

/**
 * cast() is the standard conversion, and numbers to and from Booleans besides. Where the pages
 * disagree: to Int rounds down (-1.2 is -2), as the cast tables have it, not to the nearest; a
 * String cast to String is itself, where the table repeats the row of Booleans.
 */
export const castTo: Readonly<Record<CastType, (value: SqlValue) => SqlValue>> = {
  String: toText,
  Decimal: asNumber,
  Int: (value) => {
    const number = asNumber(value);
    return isNumber(number) ? floor(number) : undefined;
  },
  Boolean: (value) => (isNumber(value) ? !isZero(value) : toBoolean(value)),
};
