import type * as z from 'zod';
import { RejectedError, type RejectionCode, reject, safeText } from './errors.ts';

const ISSUES_LIMIT = 10;

/** @throws {RejectedError} `code`, naming each field at fault (the first ten of them). */
export function check<Output>(
  schema: z.ZodType<Output>,
  input: unknown,
  code: RejectionCode,
): Output {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, ISSUES_LIMIT)
    .map(({ path, message }) => `${pathOf(path)}: ${message}`);
  throw new RejectedError(code, issues, result.error);
}

const pathOf = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? '(root)' : safeText(path.map(String).join('.'), 160);

/** @throws {RejectedError} `MALFORMED_RECORD` when a record of a stream is not a JSON object */
export function parseRecord(text: string): object {
  const value = parseOrReject(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return reject('MALFORMED_RECORD', '(root)', 'is not a JSON object');
}

/** A field of a record, before any schema has seen it. */
export const fieldOf = (record: object, name: string): unknown =>
  Object.hasOwn(record, name) ? Reflect.get(record, name) : undefined;

function parseOrReject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return reject('MALFORMED_RECORD', '(root)', 'is not JSON');
  }
}
