export { type ClientHello, readClientHello } from './client-hello.ts';
export {
  APPLICATION_PROTOCOLS,
  AUTHENTICATION_TYPES,
  agreeOn,
  type Credentials,
  DEFAULT_SECURITY_POLICY,
  defaultEndpoint,
  type Endpoint,
  PAIRS,
  SECURITY_POLICIES,
  type Service,
} from './endpoint.ts';
