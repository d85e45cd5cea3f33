import { hash } from 'node:crypto';

const CHECK_DIGITS = 12;

const check = (body: string): string => hash('sha256', body, 'hex').slice(0, CHECK_DIGITS);

/** Packs values into text that callers hand back unread. Not secret, but a mangled one is noticed. */
export function encodeToken(values: readonly unknown[]): string {
  const body = JSON.stringify(values);
  return Buffer.from(check(body) + body).toString('base64');
}

/** @returns undefined for anything that {@link encodeToken} did not make. */
export function decodeToken(token: string): readonly unknown[] | undefined {
  const text = Buffer.from(token, 'base64').toString();
  const body = text.slice(CHECK_DIGITS);
  if (text.slice(0, CHECK_DIGITS) !== check(body)) return undefined;
  const values: unknown = JSON.parse(body);
  return Array.isArray(values) ? values : undefined;
}
