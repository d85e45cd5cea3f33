import { X509Certificate } from 'node:crypto';
import { NAME } from '../names.ts';
import { refuse } from './refused.ts';

/** What a certificate says of its device, and for how long. */
export interface Subject {
  readonly thing: string;
  readonly fleet: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Thing (CN) and fleet (O) of a certificate. Each must be there once: policy variables take the first of several, and
 * whoever reads another would see another device.
 *
 * @throws {RefusedError} `WRONG_SUBJECT`
 */
export function subjectOf(pem: string): Subject {
  const { subject, notBeforeMs, notAfterMs } = readCertificate(pem);
  return {
    thing: nameIn(subject.get('CN'), 'CN'),
    fleet: nameIn(subject.get('O'), 'O'),
    notBeforeMs,
    notAfterMs,
  };
}

/**
 * Whether a certificate's subject names no other device: over HTTPS, policies take thing and fleet from it. It may
 * name none, as those do whose keys AWS IoT made.
 *
 * @throws {RefusedError} `WRONG_SUBJECT`
 */
export function checkSubject(
  pem: string,
  { thing, fleet }: Pick<Subject, 'thing' | 'fleet'>,
): void {
  const { subject } = readCertificate(pem);
  if (subject.get('O') === undefined) return;
  if (subject.get('CN') !== thing) refuse('WRONG_SUBJECT', 'subject.CN', 'is not the thing');
  if (subject.get('O') !== fleet)
    refuse('WRONG_SUBJECT', 'subject.O', 'is not the fleet of the thing');
}

function readCertificate(pem: string) {
  const certificate = parse(pem);
  const { subject } = certificate.toLegacyObject();
  return {
    subject: new Map<string, unknown>(Object.entries(Object(subject))),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    return refuse('WRONG_SUBJECT', 'certificatePem', 'is no certificate');
  }
}

function nameIn(value: unknown, field: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  return refuse('WRONG_SUBJECT', `subject.${field}`, 'wants, once, 1 to 64 of A-Z a-z 0-9 _ -');
}
