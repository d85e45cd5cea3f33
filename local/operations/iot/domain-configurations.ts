import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import type { AuthorizerDeps, DescribedDomain } from './authorizer-call.ts';
import { iotOperation, members } from './iot-call.ts';
import { page } from './page.ts';
import { markerMembers } from './thing-input.ts';

export const describeDomainConfiguration = ({ domains }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'DescribeDomainConfiguration',
    http: 'GET /domainConfigurations/{domainConfigurationName}',
    input: members({ domainConfigurationName: z.string() }),
    on: ({ domainConfigurationName: name }) =>
      domains.find(({ endpoint }) => endpoint.name === name)?.arn ?? '*',
    run: ({ domainConfigurationName: name }) => {
      const domain = domains.find(({ endpoint }) => endpoint.name === name);
      return descriptionOf(found(domain, 'domain configuration', name));
    },
  });

export const listDomainConfigurations = ({ domains }: AuthorizerDeps): Operation =>
  iotOperation({
    name: 'ListDomainConfigurations',
    http: 'GET /domainConfigurations',
    input: members({ ...markerMembers, serviceType: z.string().optional() }),
    on: () => '*',
    run: ({ marker, pageSize, serviceType = 'DATA' }) => {
      const { items, next } = page(
        serviceType === 'DATA' ? domains : [],
        ({ endpoint }) => endpoint.name,
        { token: marker, size: pageSize },
      );
      return { domainConfigurations: items.map(entryOf), nextMarker: next };
    },
  });

const entryOf = ({ endpoint, arn }: DescribedDomain) => ({
  domainConfigurationName: endpoint.name,
  domainConfigurationArn: arn,
  serviceType: 'DATA',
});

function descriptionOf(domain: DescribedDomain) {
  const { endpoint, type, serverCertificateArns } = domain;
  const { defaultName, allowOverride } = endpoint.authorizers;
  return {
    ...entryOf(domain),
    domainName: endpoint.domainName,
    serverCertificates: serverCertificateArns.map((serverCertificateArn) => ({
      serverCertificateArn,
      serverCertificateStatus: 'VALID',
    })),
    authorizerConfig: {
      defaultAuthorizerName: defaultName,
      allowAuthorizerOverride: allowOverride,
    },
    domainConfigurationStatus: endpoint.enabled ? 'ENABLED' : 'DISABLED',
    domainType: type,
    tlsConfig: { securityPolicy: endpoint.securityPolicy },
    authenticationType: endpoint.authentication,
    applicationProtocol: endpoint.application,
  };
}
