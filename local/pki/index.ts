export {
  CertificateError,
  type CertificateFacts,
  isAcceptedKey,
  isSignedBy,
  parseCertificate,
} from './certificate.ts';
export {
  type DevelopmentPki,
  openPki,
  PkiError,
} from './development-pki.ts';
export {
  type Credential,
  createAuthority,
  issueClient,
  issueServer,
  signRequest,
  type Validity,
} from './issue.ts';
export { createRequest } from './request.ts';
export { isRevokedBy, revocationListsOf } from './revocation.ts';
