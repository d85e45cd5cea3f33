import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { describedCertificate } from './certificate-output.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const describeCertificate = ({ registry, accountId }: IotDeps): Operation =>
  iotOperation({
    name: 'DescribeCertificate',
    http: 'GET /certificates/{certificateId}',
    input: members({ certificateId: z.string() }),
    on: ({ certificateId }) => registry.arn.certificate(certificateId),
    run: ({ certificateId }) => {
      const certificate = found(registry.certificate(certificateId), 'certificate', certificateId);
      return {
        certificateDescription: {
          ...describedCertificate(certificate, accountId),
          caCertificateId: certificate.caCertificateId,
        },
      };
    },
  });
