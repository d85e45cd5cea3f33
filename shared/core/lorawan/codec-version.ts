import { hash } from 'node:crypto';
import * as z from 'zod';
import { TimeMs } from '../names.ts';
import { CodecName } from './assignment.ts';

const Version = z.int().min(1).max(999_999);

/** Which version of a codec decodes: one for nearly all devices, and one that a share of them tries. */
export const CodecPointer = z.object({
  name: CodecName,
  active: Version,
  canary: z.object({ version: Version, percent: z.number().min(0).max(100) }).optional(),
  /** What was active before, the last first: the way back. */
  history: z.array(Version).max(20).default([]),
  latest: Version,
  updatedAtMs: TimeMs,
});
export type CodecPointer = z.infer<typeof CodecPointer>;

/** A version of a codec never changes. */
export const CodecVersion = z.object({
  name: CodecName,
  version: Version,
  /** A script of TS013, or a description of fields. */
  kind: z.enum(['script', 'fields']),
  source: z.string(),
  /** SHA-256 of the source, base64url. */
  digest: z.string(),
  createdAtMs: TimeMs,
});
export type CodecVersion = z.infer<typeof CodecVersion>;

export const digestOf = (source: string): string => hash('sha256', source, 'base64url');

/** The same device tries the same version each time: its share of the canary is drawn from its id. */
export function versionFor({ active, canary, name }: CodecPointer, deviceId: string): number {
  if (canary === undefined) return active;
  const drawn = Number.parseInt(
    hash('sha256', `${name}\n${canary.version}\n${deviceId}`).slice(0, 8),
    16,
  );
  return (drawn / 2 ** 32) * 100 < canary.percent ? canary.version : active;
}
