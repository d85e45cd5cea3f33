export type { SignedRequest } from './canonical-request.ts';
export { SignatureError } from './problem.ts';
export { isSigned, type SecretKey, verifySignature } from './verify.ts';
