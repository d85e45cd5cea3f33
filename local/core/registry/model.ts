import * as z from 'zod';

/** A registered device. */
export const Thing = z.object({
  thingName: z.string(),
  thingId: z.string(),
  thingTypeName: z.string().optional(),
  attributes: z.record(z.string(), z.string()),
  /** Counts changes, from 1. */
  version: z.int(),
});
export type Thing = z.infer<typeof Thing>;

export const ThingType = z.object({
  thingTypeName: z.string(),
  thingTypeId: z.string(),
  description: z.string().optional(),
  createdMs: z.number(),
});
export type ThingType = z.infer<typeof ThingType>;

export const ThingGroup = z.object({
  thingGroupName: z.string(),
  thingGroupId: z.string(),
  parentGroupName: z.string().optional(),
  description: z.string().optional(),
  attributes: z.record(z.string(), z.string()),
  createdMs: z.number(),
  version: z.int(),
});
export type ThingGroup = z.infer<typeof ThingGroup>;

export const CERTIFICATE_STATUSES = [
  'ACTIVE',
  'INACTIVE',
  'REVOKED',
  'PENDING_TRANSFER',
  'REGISTER_INACTIVE',
  'PENDING_ACTIVATION',
] as const;

export const Certificate = z.object({
  certificateId: z.string(),
  arn: z.string(),
  pem: z.string(),
  status: z.enum(CERTIFICATE_STATUSES),
  /** Set where a registered authority signed it. */
  caCertificateId: z.string().optional(),
  /** `SNI_ONLY`: registered without its authority. */
  certificateMode: z.enum(['DEFAULT', 'SNI_ONLY']),
  createdMs: z.number(),
  changedMs: z.number(),
  notBeforeMs: z.number(),
  notAfterMs: z.number(),
  generationId: z.string(),
  version: z.int(),
});
export type Certificate = z.infer<typeof Certificate>;

export const Authority = z.object({
  certificateId: z.string(),
  arn: z.string(),
  pem: z.string(),
  status: z.enum(['ACTIVE', 'INACTIVE']),
  /** Whether a device certificate it signed is registered when first seen. */
  autoRegistration: z.boolean(),
  certificateMode: z.enum(['DEFAULT', 'SNI_ONLY']),
  createdMs: z.number(),
  changedMs: z.number(),
  notBeforeMs: z.number(),
  notAfterMs: z.number(),
  generationId: z.string(),
  version: z.int(),
});
export type Authority = z.infer<typeof Authority>;

export const PolicyVersion = z.object({
  versionId: z.string(),
  /** JSON text, as it was given. */
  document: z.string(),
  createdMs: z.number(),
});
export type PolicyVersion = z.infer<typeof PolicyVersion>;

export const Policy = z.object({
  policyName: z.string(),
  defaultVersionId: z.string(),
  versions: z.array(PolicyVersion),
  /** The next version's number; numbers are not used twice. */
  nextVersion: z.int(),
  createdMs: z.number(),
  changedMs: z.number(),
  generationId: z.string(),
});
export type Policy = z.infer<typeof Policy>;

const Links = z.array(z.tuple([z.string(), z.string()]));

/** The registry as it lies on disk. */
export const RegistryFile = z.object({
  format: z.literal(1),
  registrationCode: z.string(),
  things: z.array(Thing),
  thingTypes: z.array(ThingType),
  thingGroups: z.array(ThingGroup),
  certificates: z.array(Certificate),
  authorities: z.array(Authority),
  policies: z.array(Policy),
  /** Thing name, principal ARN. */
  thingPrincipals: Links,
  /** Group name, thing name. */
  groupMembers: Links,
  /** Policy name, target ARN. */
  policyTargets: Links,
});
export type RegistryFile = z.infer<typeof RegistryFile>;

/** What happened to one thing of the registry; `name` is a certificate's id where `kind` says so. */
export interface RegistryChange {
  readonly kind: 'thing' | 'thingType' | 'thingGroup' | 'certificate' | 'authority' | 'policy';
  readonly name: string;
  readonly event: 'created' | 'updated' | 'deleted' | 'attached' | 'detached';
}
