import * as z from 'zod';
import { Name } from '../names.ts';

export const CodecName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'wants 1 to 64 of a-z 0-9 . -');

export const Eui = z
  .string()
  .transform((text) => text.replace(/[:-]/g, '').toLowerCase())
  .refine((text) => /^[0-9a-f]{16}$/.test(text), 'wants 16 hexadecimal digits');

const Choice = z.object({
  /** A codec's name, or a format's. */
  codec: CodecName,
  /** Without one, whichever is active. */
  version: z.int().min(1).optional(),
  /** Without any, every FPort. */
  fPorts: z.array(z.int().min(1).max(223)).min(1).max(16).optional(),
});
export type Choice = z.infer<typeof Choice>;

/** none; the envelope of ours inside the payload; the payload as it was on the air. */
export const ENCRYPTIONS = ['none', 'envelope', 'frm'] as const;

/** What becomes of the uplinks of some devices. */
export const Assignment = z.object({
  fleet: Name,
  /** The first that takes an uplink's FPort decodes it; where none does, the raw payload is kept undecoded. */
  codecs: z.array(Choice).max(16),
  encryption: z.enum(ENCRYPTIONS).default('none'),
});
export type Assignment = z.infer<typeof Assignment>;

/** A device's own entry: what differs from others of its kind. */
export const DeviceEntry = z.object({
  /** The thing's name in readings; without one, the id that the network gave it. */
  thing: Name.optional(),
  /** Profile whose assignment holds. */
  profile: z.string().min(1).max(256).optional(),
  joinEui: Eui.optional(),
  /** An assignment of its own, before any other. */
  assignment: Assignment.optional(),
});
export type DeviceEntry = z.infer<typeof DeviceEntry>;

/** Assignments that hold for many devices. */
export interface Assignments {
  readonly profiles: ReadonlyMap<string, Assignment>;
  readonly joinEuis: ReadonlyMap<string, Assignment>;
  /** DevEUIs from and to, both included, ordered by `from`; ranges may lie within others. */
  readonly ranges: readonly {
    readonly from: string;
    readonly to: string;
    readonly assignment: Assignment;
  }[];
  readonly other: Assignment | undefined;
}

/** What is known of a device when its uplink arrives. */
export interface Known {
  readonly entry: DeviceEntry | undefined;
  readonly devEui: string | undefined;
  readonly joinEui: string | undefined;
}

/** The nearest assignment: the device's own, its profile's, the narrowest range's, its JoinEUI's, the one for all others. */
export function assignmentFor(
  { profiles, joinEuis, ranges, other }: Assignments,
  { entry, devEui, joinEui }: Known,
): Assignment | undefined {
  return (
    entry?.assignment ??
    profiles.get(entry?.profile ?? '') ??
    (devEui === undefined ? undefined : narrowest(ranges, devEui.padStart(16, '0'))) ??
    joinEuis.get(entry?.joinEui ?? joinEui ?? '') ??
    other
  );
}

function narrowest(ranges: Assignments['ranges'], devEui: string): Assignment | undefined {
  const around = ranges.filter(({ from, to }) => from <= devEui && devEui <= to);
  const widthOf = ({ from, to }: { from: string; to: string }): bigint =>
    BigInt(`0x${to}`) - BigInt(`0x${from}`);
  return around.sort((one, other) => (widthOf(one) < widthOf(other) ? -1 : 1))[0]?.assignment;
}

export const choiceFor = ({ codecs }: Assignment, fPort: number): Choice | undefined =>
  codecs.find(({ fPorts }) => fPorts === undefined || fPorts.includes(fPort));
