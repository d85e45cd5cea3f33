import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const disassociateWirelessGatewayFromCertificate = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'DisassociateWirelessGatewayFromCertificate',
    http: 'DELETE /wireless-gateways/{Id}/certificate',
    status: 204,
    input: members({ Id: z.string() }),
    on: ({ Id }) => `WirelessGateway/${Id}`,
    run: ({ Id }) => {
      const { certificateId: _, ...rest } = found(deps.store.gateway(Id), 'WirelessGateway', Id);
      deps.store.putGateway(rest);
      return undefined;
    },
  });
