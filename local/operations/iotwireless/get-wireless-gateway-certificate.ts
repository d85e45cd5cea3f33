import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const getWirelessGatewayCertificate = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'GetWirelessGatewayCertificate',
    http: 'GET /wireless-gateways/{Id}/certificate',
    status: 200,
    input: members({ Id: z.string() }),
    on: ({ Id }) => `WirelessGateway/${Id}`,
    run: ({ Id }) => {
      const { certificateId } = found(deps.store.gateway(Id), 'WirelessGateway', Id);
      return { IotCertificateId: found(certificateId, 'Certificate', Id) };
    },
  });
