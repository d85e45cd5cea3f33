import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, isoTime, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const getWirelessGatewayStatistics = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'GetWirelessGatewayStatistics',
    http: 'GET /wireless-gateways/{WirelessGatewayId}/statistics',
    status: 200,
    input: members({ WirelessGatewayId: z.string() }),
    on: ({ WirelessGatewayId }) => `WirelessGateway/${WirelessGatewayId}`,
    run: ({ WirelessGatewayId }) => {
      const { store, isConnected } = deps;
      const gateway = found(store.gateway(WirelessGatewayId), 'WirelessGateway', WirelessGatewayId);
      const { lastUplinkAtMs } = gateway;
      return {
        WirelessGatewayId,
        ConnectionStatus: isConnected(WirelessGatewayId) ? 'Connected' : 'Disconnected',
        ...(lastUplinkAtMs !== undefined && { LastUplinkReceivedAt: isoTime(lastUplinkAtMs) }),
      };
    },
  });
