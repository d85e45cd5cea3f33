import type { Authorizer, Presented } from '../../core/authorizer/index.ts';
import type { Endpoint } from '../../core/endpoint/index.ts';
import type { AuthorizerStore } from '../../stores/authorizer-store.ts';
import { seconds } from './iot-call.ts';

/** What the calls about custom authorizers and domain configurations work on. */
export interface AuthorizerDeps {
  readonly authorizers: AuthorizerStore;
  /** Asks an authorizer, whatever its status. @throws {AuthorizerRefusal} */
  readonly ask: (authorizer: Authorizer, presented: Presented) => Promise<TestedGrant>;
  readonly domains: readonly DescribedDomain[];
}

export interface TestedGrant {
  readonly principalId: string;
  readonly documents: readonly object[];
  readonly refreshAfterSeconds: number;
  readonly disconnectAfterSeconds: number;
}

export interface DescribedDomain {
  readonly endpoint: Endpoint;
  readonly arn: string;
  readonly type: 'AWS_MANAGED' | 'CUSTOMER_MANAGED';
  readonly serverCertificateArns: readonly string[];
}

export const authorizerDescription = (authorizer: Authorizer) => ({
  authorizerName: authorizer.name,
  authorizerArn: authorizer.arn,
  authorizerFunctionArn: authorizer.functionArn,
  tokenKeyName: authorizer.tokenKeyName,
  tokenSigningPublicKeys: authorizer.signingKeys,
  status: authorizer.status,
  creationDate: seconds(authorizer.createdMs),
  lastModifiedDate: seconds(authorizer.changedMs),
  signingDisabled: authorizer.signingDisabled,
  enableCachingForHttp: authorizer.enableCachingForHttp,
});

export const authorizerEntry = ({ name, arn }: Authorizer) => ({
  authorizerName: name,
  authorizerArn: arn,
});
