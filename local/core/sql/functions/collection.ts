import { toIndex, toText } from '../convert.ts';
import { DOCUMENTED_SIZE } from '../limits.ts';
import {
  type Draft,
  fieldOf,
  isArray,
  isObject,
  jsonText,
  type SqlObject,
  type SqlValue,
  setField,
} from '../values.ts';
import { type FunctionTable, plain } from './function.ts';

/** Positions count from 0, also in Strings, where a page of 2022 still printed get("abc", 1) = "a". */
function get(value: SqlValue, at: SqlValue): SqlValue {
  if (isObject(value)) {
    const key = toText(at);
    return key === undefined ? undefined : fieldOf(value, key);
  }
  if (typeof value !== 'string' && !isArray(value)) return undefined;
  const index = toIndex(at);
  return index === undefined || index < 0 ? undefined : value[index];
}

function transform(mode: SqlValue, attributes: SqlValue, array: SqlValue): SqlValue {
  if (mode !== 'enrichArray' || !isObject(attributes) || !isArray(array)) return undefined;
  // measured beforehand: the result repeats the attributes in every element
  const size = jsonText(attributes)?.length ?? Number.POSITIVE_INFINITY;
  if (size * array.length > 2 * DOCUMENTED_SIZE || !array.every(isObject)) return undefined;
  const enriched = array.map((element) => merge(element, attributes));
  const text = jsonText(enriched);
  return text !== undefined && Buffer.byteLength(text) <= DOCUMENTED_SIZE ? enriched : undefined;
}

/** Fields of the second object beside those of the first, and instead of those of equal name. */
function merge(first: SqlObject, second: SqlObject): SqlObject {
  const merged: Draft = {};
  for (const [key, value] of [...Object.entries(first), ...Object.entries(second)]) {
    setField(merged, key, value);
  }
  return merged;
}

export const COLLECTION: FunctionTable = {
  get: plain(2, 2, get),
  transform: plain(3, 3, transform),
};
