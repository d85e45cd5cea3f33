import type { PolicyContext, PolicySource } from '../../core/policy/index.ts';
import type { Registry } from '../../stores/registry.ts';
import { AwsError } from '../operation.ts';

/** The policies that hold for a principal, and what their variables are worth. */
export interface PrincipalView {
  readonly policies: readonly PolicySource[];
  readonly context: PolicyContext;
}

const CERTIFICATE = /^arn:[^:]+:iot:[^:]*:[^:]*:cert\/(.+)$/;

/**
 * @param principal  ARN of a certificate, or a Cognito identity id; none where only a thing is asked about
 * @param clientId   the client it would connect as; things count only under their own name
 * @throws {AwsError} `InvalidRequestException` where neither is given
 */
export function viewOf(
  registry: Registry,
  principal: string | undefined,
  clientId: string | undefined,
): PrincipalView {
  const [, certificateId] = CERTIFICATE.exec(principal ?? '') ?? [];
  if (certificateId !== undefined)
    return {
      policies: registry.policiesOf(certificateId, clientId),
      context: registry.connectionContext(certificateId, clientId),
    };
  if (principal !== undefined)
    return {
      policies: registry.policiesOfTarget(principal),
      context: registry.thingContext(principal, clientId),
    };
  if (clientId !== undefined)
    return { policies: registry.policiesOfThing(clientId), context: { 'iot:ClientId': clientId } };
  throw new AwsError('InvalidRequestException', 'a principal or a thing must be given');
}
