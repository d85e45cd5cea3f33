import * as z from 'zod';
import { AwsError, type Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

const Input = members({ ServiceType: z.enum(['CUPS', 'LNS']).default('CUPS') });

export const getServiceEndpoint = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'GetServiceEndpoint',
    http: 'GET /service-endpoint',
    input: Input,
    on: () => '*',
    run: ({ ServiceType }) => {
      if (ServiceType === 'CUPS')
        throw new AwsError(
          'ValidationException',
          'The laptop has no CUPS: give the gateway its LNS endpoint, ServiceType LNS.',
        );
      const ServiceEndpoint = found(deps.lnsEndpoint(), 'ServiceEndpoint', ServiceType);
      return { ServiceType, ServiceEndpoint, ServerTrust: deps.serverTrustPem };
    },
  });
