import * as z from 'zod';

/** Names of fleets and things: no delimiter of a topic or a table key is among the characters. */
export const NAME = /^[A-Za-z0-9_-]{1,64}$/;
export const Name = z.string().regex(NAME, 'wants 1 to 64 of A-Z a-z 0-9 _ -');

export const KINDS = ['telemetry', 'status'] as const;
export const Kind = z.enum(KINDS);
export type Kind = z.infer<typeof Kind>;

export const isKind = (text: string): text is Kind => KINDS.some((kind) => kind === text);

/** The last millisecond of the year 9999: what ISO 8601 writes in four digits, and a key in fifteen. */
const LATEST_TIME_MS = 253_402_300_799_999;
export const TimeMs = z.int().min(0).max(LATEST_TIME_MS);

export const isTimeMs = (value: number): boolean =>
  Number.isInteger(value) && value >= 0 && value <= LATEST_TIME_MS;
