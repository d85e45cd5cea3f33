import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { conflict, found, members, type WirelessDeps, wirelessOperation } from './wireless-call.ts';

export const associateWirelessGatewayWithCertificate = (deps: WirelessDeps): Operation =>
  wirelessOperation(deps, {
    name: 'AssociateWirelessGatewayWithCertificate',
    http: 'PUT /wireless-gateways/{Id}/certificate',
    status: 200,
    input: members({ Id: z.string(), IotCertificateId: z.string() }),
    on: ({ Id }) => `WirelessGateway/${Id}`,
    run: ({ Id, IotCertificateId }) => {
      const { store, hasCertificate } = deps;
      const gateway = found(store.gateway(Id), 'WirelessGateway', Id);
      if (!hasCertificate(IotCertificateId)) found(undefined, 'Certificate', IotCertificateId);
      const other = store
        .gateways()
        .find(({ id, certificateId }) => id !== Id && certificateId === IotCertificateId);
      if (other !== undefined)
        conflict('WirelessGateway', other.id, 'The certificate is of another gateway.');
      store.putGateway({ ...gateway, certificateId: IotCertificateId });
      return { IotCertificateId };
    },
  });
