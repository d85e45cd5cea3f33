export {
  CertificateError,
  type CertificateFacts,
  isSignedBy,
  type NameFields,
  parseCertificate,
} from './certificate.ts';
export {
  type DevelopmentPki,
  type DeviceCredential,
  openPki,
  PkiError,
  type PkiOptions,
} from './development-pki.ts';
export {
  type Credential,
  createAuthority,
  issueClient,
  issueServer,
  signRequest,
  type Validity,
} from './issue.ts';
