import type { Operation } from '../operation.ts';
import { gatewayOutput } from './device-output.ts';
import { GatewayIdentifier, identifiedGateway } from './identify.ts';
import { type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const getWirelessGateway = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'GetWirelessGateway',
    http: 'GET /wireless-gateways/{Identifier}',
    input: GatewayIdentifier,
    on: (input) => `WirelessGateway/${identifiedGateway(deps, input).id}`,
    run: (input) => gatewayOutput(deps, identifiedGateway(deps, input)),
  });
