import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const deleteWirelessGateway = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'DeleteWirelessGateway',
    http: 'DELETE /wireless-gateways/{Id}',
    status: 204,
    input: members({ Id: z.string() }),
    on: ({ Id }) => `WirelessGateway/${Id}`,
    run: ({ Id }) => {
      found(deps.store.gateway(Id), 'WirelessGateway', Id);
      deps.store.remove(Id);
      return undefined;
    },
  });
