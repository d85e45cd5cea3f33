import { page } from '../iot/page.ts';
import type { Operation } from '../operation.ts';
import { listedGateway } from './device-output.ts';
import { members, pageMembers, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const listWirelessGateways = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'ListWirelessGateways',
    http: 'GET /wireless-gateways',
    input: members(pageMembers),
    on: () => '*',
    run: ({ NextToken, MaxResults }) => {
      const { items, next } = page(deps.store.gateways(), ({ id }) => id, {
        token: NextToken,
        size: MaxResults,
      });
      return {
        WirelessGatewayList: items.map((gateway) => listedGateway(deps, gateway)),
        NextToken: next,
      };
    },
  });
