import { found, RegistryError } from './errors.ts';
import type { Authority, Certificate } from './model.ts';
import type { RegistryState, RegistryWorld } from './state.ts';

/** What the registry needs to know of a certificate, read from its PEM by the caller. */
export interface CertificateReading {
  readonly certificateId: string;
  readonly pem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface NewCertificate {
  readonly reading: CertificateReading;
  readonly status: 'ACTIVE' | 'INACTIVE' | 'PENDING_ACTIVATION';
  readonly caCertificateId?: string | undefined;
  readonly certificateMode?: 'DEFAULT' | 'SNI_ONLY' | undefined;
}

export interface NewAuthority {
  readonly reading: CertificateReading;
  readonly active: boolean;
  readonly autoRegistration: boolean;
  readonly certificateMode: 'DEFAULT' | 'SNI_ONLY';
}

/** Device certificates and the authorities that are registered. */
export interface Certificates {
  readonly certificate: (certificateId: string) => Certificate | undefined;
  readonly listCertificates: () => readonly Certificate[];
  readonly addCertificate: (input: NewCertificate) => Certificate;
  /** Only `ACTIVE`, `INACTIVE` and `REVOKED` can be set. */
  readonly updateCertificate: (certificateId: string, status: string) => Certificate;
  /** Takes a certificate that is not active and has no thing; with `force` its policies may still be attached. */
  readonly deleteCertificate: (certificateId: string, force?: boolean) => void;
  readonly authority: (certificateId: string) => Authority | undefined;
  readonly listAuthorities: () => readonly Authority[];
  readonly addAuthority: (input: NewAuthority) => Authority;
  readonly updateAuthority: (
    certificateId: string,
    update: {
      readonly active?: boolean | undefined;
      readonly autoRegistration?: boolean | undefined;
    },
  ) => Authority;
}

const SETTABLE = new Set(['ACTIVE', 'INACTIVE', 'REVOKED']);

export function createCertificates(state: RegistryState, world: RegistryWorld): Certificates {
  const { certificates } = state;
  return {
    certificate: (id) => certificates.get(id),
    listCertificates: () => [...certificates.values()],
    addCertificate: (input) => {
      const id = input.reading.certificateId;
      refuseDouble(certificates.has(id), 'certificate', id, world.arn.certificate(id));
      const certificate = newCertificate(input, world);
      certificates.set(id, certificate);
      world.changed({ kind: 'certificate', name: id, event: 'created' });
      return certificate;
    },
    updateCertificate: (id, status) => {
      const certificate = found(certificates.get(id), 'certificate', id);
      if (!isSettable(status))
        throw new RegistryError(
          'InvalidRequestException',
          `${status} cannot be set; ${[...SETTABLE].join(', ')} can`,
        );
      const version = certificate.version + 1;
      const next = { ...certificate, status, changedMs: world.now(), version };
      certificates.set(id, next);
      world.changed({ kind: 'certificate', name: id, event: 'updated' });
      return next;
    },
    deleteCertificate: (id, force = false) => {
      const certificate = found(certificates.get(id), 'certificate', id);
      checkDeletable(certificate, force, state, world);
      const arn = world.arn.certificate(id);
      for (const policy of state.policyTargets.leftsOf(arn))
        state.policyTargets.remove(policy, arn);
      certificates.delete(id);
      world.changed({ kind: 'certificate', name: id, event: 'deleted' });
    },
    ...authoritiesOf(state, world),
  };
}

const isSettable = (status: string): status is 'ACTIVE' | 'INACTIVE' | 'REVOKED' =>
  SETTABLE.has(status);

function authoritiesOf({ authorities }: RegistryState, world: RegistryWorld) {
  return {
    authority: (id: string) => authorities.get(id),
    listAuthorities: () => [...authorities.values()],
    addAuthority: (input: NewAuthority): Authority => {
      const id = input.reading.certificateId;
      refuseDouble(authorities.has(id), 'CA certificate', id, world.arn.authority(id));
      const authority = newAuthority(input, world);
      authorities.set(id, authority);
      world.changed({ kind: 'authority', name: id, event: 'created' });
      return authority;
    },
    updateAuthority: (
      id: string,
      update: {
        readonly active?: boolean | undefined;
        readonly autoRegistration?: boolean | undefined;
      },
    ): Authority => {
      const authority = found(authorities.get(id), 'CA certificate', id);
      const active = update.active ?? authority.status === 'ACTIVE';
      const next: Authority = {
        ...authority,
        status: active ? 'ACTIVE' : 'INACTIVE',
        autoRegistration: update.autoRegistration ?? authority.autoRegistration,
        changedMs: world.now(),
        version: authority.version + 1,
      };
      authorities.set(id, next);
      world.changed({ kind: 'authority', name: id, event: 'updated' });
      return next;
    },
  };
}

function refuseDouble(exists: boolean, what: string, id: string, resourceArn: string): void {
  if (exists)
    throw new RegistryError('ResourceAlreadyExistsException', `the ${what} is registered already`, {
      resourceId: id,
      resourceArn,
    });
}

const common = ({ reading }: { readonly reading: CertificateReading }, world: RegistryWorld) => ({
  certificateId: reading.certificateId,
  pem: reading.pem,
  notBeforeMs: reading.notBeforeMs,
  notAfterMs: reading.notAfterMs,
  createdMs: world.now(),
  changedMs: world.now(),
  generationId: world.uuid(),
  version: 1,
});

const newCertificate = (input: NewCertificate, world: RegistryWorld): Certificate => ({
  ...common(input, world),
  arn: world.arn.certificate(input.reading.certificateId),
  status: input.status,
  certificateMode: input.certificateMode ?? 'DEFAULT',
  ...(input.caCertificateId !== undefined && { caCertificateId: input.caCertificateId }),
});

const newAuthority = (input: NewAuthority, world: RegistryWorld): Authority => ({
  ...common(input, world),
  arn: world.arn.authority(input.reading.certificateId),
  status: input.active ? 'ACTIVE' : 'INACTIVE',
  autoRegistration: input.autoRegistration,
  certificateMode: input.certificateMode,
});

function checkDeletable(
  { certificateId, status }: Certificate,
  force: boolean,
  state: RegistryState,
  { arn }: RegistryWorld,
): void {
  const target = arn.certificate(certificateId);
  if (status === 'ACTIVE')
    throw new RegistryError(
      'CertificateStateException',
      `certificate ${certificateId} is ACTIVE; set it INACTIVE first`,
    );
  const things = state.thingPrincipals.leftsOf(target);
  const policies = force ? [] : state.policyTargets.leftsOf(target);
  if (things.length + policies.length > 0)
    throw new RegistryError(
      'DeleteConflictException',
      `certificate ${certificateId} still has ${[
        ...things.map((name) => `thing ${name}`),
        ...policies.map((name) => `policy ${name}`),
      ].join(', ')}; detach first`,
    );
}
