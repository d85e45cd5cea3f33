import type { SqlValue } from '../../core/sql/index.ts';
import { ActionError, type Turn } from './action.ts';

/** The result's elements, for actions in batch mode. @throws {ActionError} where it is no array, or too long */
export function elementsOf({ value }: Turn, max: number): readonly SqlValue[] {
  if (!isArray(value)) throw new ActionError('In batch mode the result must be an array.');
  if (value.length <= max) return value;
  throw new ActionError(`In batch mode the result may have ${max} elements, not ${value.length}.`);
}

const isArray = (value: SqlValue): value is readonly SqlValue[] => Array.isArray(value);
