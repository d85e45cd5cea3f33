import * as z from 'zod';
import type { RegisteredCertificate, Registry } from '../../shared/adapters/access/registry.ts';
import type { RotationTable } from '../../shared/adapters/access/rotation-table.ts';
import type { Refusal } from '../../shared/adapters/security/denials.ts';
import { type Authorities, CertificateId } from '../../shared/core/access/authorities.ts';
import { RefusedError, refuse } from '../../shared/core/access/refused.ts';
import { type Subject, subjectOf } from '../../shared/core/access/subject.ts';
import type { BatchResponse, Invocation } from '../../shared/lambda/batch.ts';
import type { Log } from '../../shared/lambda/log.ts';
import { type QueueMessage, queueMessages } from '../../shared/lambda/queue-event.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface RegisterDeps {
  readonly authorities: Authorities;
  readonly registry: Pick<
    Registry,
    'certificate' | 'fleetOf' | 'createThing' | 'certificatesOf' | 'attach' | 'setStatus'
  >;
  readonly rotations: Pick<RotationTable, 'begin'>;
  /** Whether an incident holds the thing. */
  readonly denialOf: (thing: string) => Promise<Refusal | undefined>;
  /** The policies of devices. */
  readonly policyNames: readonly string[];
  readonly log: Log;
  readonly now: () => number;
}

/** @see AWS IoT Core Developer Guide, "Register a client certificate when the client connects (JITR)" */
const Announcement = z.object({
  certificateId: CertificateId,
  caCertificateId: CertificateId,
  awsAccountId: z.string().regex(/^\d{12}$/),
});

type TimeLeft = () => number;

/**
 * Announcements of certificates that AWS IoT met for the first time → things with their certificate, active.
 *
 * An announcement only says where to look: what counts is what the registry has. It may come twice, or to two
 * containers at once, as every step can be repeated, and activation is the last. What is refused is done with: the
 * device announces itself anew whenever it connects.
 */
export const register =
  (deps: RegisterDeps) =>
  async (event: unknown, invocation: Invocation): Promise<BatchResponse> => {
    const timeLeft: TimeLeft = () => invocation.getRemainingTimeInMillis();
    const batchItemFailures: { readonly itemIdentifier: string }[] = [];
    for (const message of queueMessages(event)) {
      try {
        await admit(message, deps, timeLeft);
      } catch (error) {
        if (error instanceof RefusedError) {
          const { code, issue } = error;
          deps.log('warn', 'registration refused', { code, issue, messageId: message.id });
        } else {
          deps.log('error', 'registration failed and will be tried again', { error });
          batchItemFailures.push({ itemIdentifier: message.id });
        }
      }
    }
    return { batchItemFailures };
  };

async function admit(message: QueueMessage, deps: RegisterDeps, timeLeft: TimeLeft) {
  const { registry, rotations, policyNames, log, now } = deps;
  const announced = await readAnnouncement(message, deps, timeLeft);
  if (announced === undefined) return;
  const { certificate, fleets } = announced;
  const subject = checkedSubject(certificate, fleets, now());
  const { thing, fleet } = subject;
  await refuseContained(thing, deps);
  await ensureThing(subject, deps, timeLeft);
  const others = (await registry.certificatesOf(thing, timeLeft)).filter(
    (id) => id !== certificate.id,
  );
  if (others.length > 0) await rotations.begin(thing, certificate.id, now(), timeLeft);
  await registry.attach(certificate, thing, policyNames, timeLeft);
  await activate(certificate, deps, timeLeft);
  log('info', 'device registered', { thing, fleet, rotates: others.length > 0 });
}

/** @returns nothing when the certificate is active: then all is done */
async function readAnnouncement(
  { body, accountId }: QueueMessage,
  { authorities, registry }: RegisterDeps,
  timeLeft: TimeLeft,
) {
  const { certificateId, caCertificateId, awsAccountId } = parse(body);
  if (awsAccountId !== accountId) refuse('FOREIGN_ACCOUNT', 'awsAccountId', 'is not this account');
  const fleets = authorities.get(caCertificateId);
  if (fleets === undefined) {
    return refuse('FOREIGN_AUTHORITY', 'caCertificateId', 'is not on the list of the stage');
  }
  const certificate = await registry.certificate(certificateId, timeLeft);
  if (certificate === undefined) {
    return refuse('WRONG_STATE', 'certificateId', 'is in no registry');
  }
  if (certificate.accountId !== accountId) {
    refuse('FOREIGN_ACCOUNT', 'certificate', 'belongs to another account');
  }
  if (certificate.authorityId !== caCertificateId) {
    refuse('FOREIGN_AUTHORITY', 'certificate', 'is signed by another authority than announced');
  }
  if (certificate.status === 'ACTIVE') return undefined;
  checkPending(certificate);
  return { certificate, fleets };
}

function parse(body: string): z.infer<typeof Announcement> {
  const result = Announcement.safeParse(parseJson(body));
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.join('.') ?? '';
  return refuse('MALFORMED_EVENT', path || '(root)', 'is not as AWS IoT announces certificates');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse('MALFORMED_EVENT', '(root)', 'is not JSON');
  }
}

function checkedSubject(
  { pem }: RegisteredCertificate,
  fleets: ReadonlySet<string>,
  nowMs: number,
): Subject {
  const subject = subjectOf(pem);
  if (!fleets.has(subject.fleet)) {
    refuse('FOREIGN_FLEET', 'subject.O', 'is no fleet that this authority may sign for');
  }
  if (subject.notAfterMs <= nowMs) refuse('EXPIRED', 'validity.notAfter', 'is over');
  if (subject.notBeforeMs > nowMs) {
    refuse('NOT_YET_VALID', 'validity.notBefore', 'is in the future');
  }
  return subject;
}

/** A new certificate would be a way around the containment; the device announces itself again until it is released. */
async function refuseContained(thing: string, { denialOf }: RegisterDeps): Promise<void> {
  const denial = await denialOf(thing);
  if (denial === undefined) return;
  refuse('CONTAINED', 'subject.CN', `is contained because of incident ${denial.incidentId}`);
}

/** A name belongs to the fleet that had it first; which that is, is read after the thing was made. */
async function ensureThing(
  { thing, fleet }: Subject,
  { registry }: RegisterDeps,
  timeLeft: TimeLeft,
): Promise<void> {
  let known = await registry.fleetOf(thing, timeLeft);
  if (known === undefined) {
    await registry.createThing(thing, fleet, timeLeft);
    known = await registry.fleetOf(thing, timeLeft);
  }
  if (known !== fleet) refuse('FOREIGN_FLEET', 'subject.CN', 'is a thing of another fleet');
}

/** Looks once more before the last step: who revoked the certificate in the meantime means it. */
async function activate(
  { id }: RegisteredCertificate,
  { registry }: RegisterDeps,
  timeLeft: TimeLeft,
): Promise<void> {
  const certificate = await registry.certificate(id, timeLeft);
  if (certificate?.status === 'ACTIVE') return;
  checkPending(certificate);
  await registry.setStatus(id, 'ACTIVE', timeLeft);
}

function checkPending(certificate: RegisteredCertificate | undefined): void {
  if (certificate?.status === 'PENDING_ACTIVATION') return;
  refuse('WRONG_STATE', 'certificate.status', 'wants PENDING_ACTIVATION');
}
