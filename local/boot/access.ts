import * as z from 'zod';
import {
  APPLICATION_PROTOCOLS,
  AUTHENTICATION_TYPES,
  DEFAULT_SECURITY_POLICY,
  type Endpoint,
  PAIRS,
  SECURITY_POLICIES,
} from '../core/endpoint/index.ts';
import type { ResolvedResource, ResolvedStack } from '../core/template/index.ts';
import type { DevelopmentPki } from '../pki/index.ts';
import type { Domain } from '../servers/gateway.ts';
import type { AuthorizerStore } from '../stores/authorizer-store.ts';
import { arnOf, BootError, collectProblems, ofType, propertiesOf } from './resources.ts';

const AuthorizerProperties = z.strictObject({
  AuthorizerName: z.string().optional(),
  AuthorizerFunctionArn: z.string(),
  TokenKeyName: z.string().optional(),
  TokenSigningPublicKeys: z.record(z.string(), z.string()).optional(),
  SigningDisabled: z.boolean().optional(),
  Status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
  EnableCachingForHttp: z.boolean().optional(),
  Tags: z.unknown().optional(),
});

/** Gives the store the template's custom authorizers. @throws {BootError} naming what is wrong with one */
export function declareAuthorizers(stack: ResolvedStack, store: AuthorizerStore): void {
  for (const resource of ofType(stack, 'AWS::IoT::Authorizer')) {
    const properties = propertiesOf(resource, AuthorizerProperties);
    collectProblems(() =>
      store.declare({
        name: resource.name,
        functionArn: properties.AuthorizerFunctionArn,
        tokenKeyName: properties.TokenKeyName,
        signingKeys: properties.TokenSigningPublicKeys,
        signingDisabled: properties.SigningDisabled,
        status: properties.Status,
        enableCachingForHttp: properties.EnableCachingForHttp,
      }),
    );
  }
  store.dropUndeclared();
}

const DomainProperties = z.strictObject({
  DomainConfigurationName: z.string().optional(),
  DomainConfigurationStatus: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  DomainName: z.string().optional(),
  ServiceType: z.literal('DATA', 'only DATA has an effect').default('DATA'),
  AuthenticationType: z.enum(AUTHENTICATION_TYPES).default('DEFAULT'),
  ApplicationProtocol: z.enum(APPLICATION_PROTOCOLS).default('DEFAULT'),
  AuthorizerConfig: z
    .strictObject({
      DefaultAuthorizerName: z.string().optional(),
      AllowAuthorizerOverride: z.boolean().default(false),
    })
    .optional(),
  TlsConfig: z
    .strictObject({
      SecurityPolicy: z
        .string()
        .refine((name) => SECURITY_POLICIES[name] !== undefined, {
          message: `is none of ${Object.keys(SECURITY_POLICIES).join(', ')}`,
        })
        .default(DEFAULT_SECURITY_POLICY),
    })
    .optional(),
  // the laptop issues the certificate itself
  ServerCertificateArns: z.unknown().optional(),
  ValidationCertificateArn: z.unknown().optional(),
  Tags: z.unknown().optional(),
});

/** A domain configuration with what DescribeDomainConfiguration tells of it. */
export interface DeclaredDomain extends Domain {
  readonly arn: string;
  readonly type: 'AWS_MANAGED' | 'CUSTOMER_MANAGED';
  readonly serverCertificateArns: readonly string[];
}

/**
 * The template's domain configurations, each with a certificate of the laptop for its name and for `localhost`.
 * One without a domain name, for which AWS makes a name up, is `<configuration>.iot.localhost` here.
 *
 * @throws {BootError} naming what is wrong or not supported (server certificate options, client callbacks, …)
 */
export async function declareDomains(
  stack: ResolvedStack,
  { pki, authorizers }: { readonly pki: DevelopmentPki; readonly authorizers: AuthorizerStore },
): Promise<readonly DeclaredDomain[]> {
  const declared = ofType(stack, 'AWS::IoT::DomainConfiguration');
  return Promise.all(
    declared.map(async (resource) => {
      const properties = propertiesOf(resource, DomainProperties);
      const endpoint = endpointOf(resource, properties, authorizers);
      const names = [endpoint.domainName ?? '', 'localhost', '127.0.0.1', '::1'];
      const { certificatePem, privateKeyPem } = await pki.issueServer(names);
      return {
        endpoint,
        tls: { cert: certificatePem, key: privateKeyPem },
        arn: arnOf(resource),
        type: properties.DomainName === undefined ? 'AWS_MANAGED' : 'CUSTOMER_MANAGED',
        serverCertificateArns: z
          .array(z.string())
          .catch([])
          .parse(properties.ServerCertificateArns),
      } as const;
    }),
  );
}

function endpointOf(
  { logicalId, name }: ResolvedResource,
  properties: z.infer<typeof DomainProperties>,
  authorizers: AuthorizerStore,
): Endpoint {
  const { AuthenticationType: authentication, ApplicationProtocol: application } = properties;
  const possible = PAIRS[authentication];
  if (!possible.includes(application)) {
    const text = `${authentication} goes with ${possible.join(' or ')}, not ${application}`;
    throw new BootError([`${logicalId}.ApplicationProtocol: ${text}`]);
  }
  const defaultName = properties.AuthorizerConfig?.DefaultAuthorizerName;
  if (defaultName !== undefined && authorizers.find(defaultName) === undefined) {
    const path = `${logicalId}.AuthorizerConfig.DefaultAuthorizerName`;
    throw new BootError([`${path}: no authorizer is called ${defaultName}`]);
  }
  return {
    name,
    domainName: (properties.DomainName ?? `${name}.iot.localhost`).toLowerCase(),
    authentication,
    application,
    authorizers: {
      allowOverride: properties.AuthorizerConfig?.AllowAuthorizerOverride ?? true,
      ...(defaultName !== undefined && { defaultName }),
    },
    securityPolicy: properties.TlsConfig?.SecurityPolicy ?? DEFAULT_SECURITY_POLICY,
    enabled: properties.DomainConfigurationStatus === 'ENABLED',
  };
}
