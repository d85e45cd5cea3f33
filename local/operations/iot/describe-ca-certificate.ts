import * as z from 'zod';
import { found } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { describedCertificate } from './certificate-output.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

export const describeCaCertificate = ({ registry, accountId }: IotDeps): Operation =>
  iotOperation({
    name: 'DescribeCACertificate',
    http: 'GET /cacertificate/{certificateId}',
    input: members({ certificateId: z.string() }),
    on: ({ certificateId }) => registry.arn.authority(certificateId),
    run: ({ certificateId }) => {
      const authority = found(registry.authority(certificateId), 'CA certificate', certificateId);
      return {
        certificateDescription: {
          ...describedCertificate(authority, accountId),
          autoRegistrationStatus: authority.autoRegistration ? 'ENABLE' : 'DISABLE',
        },
      };
    },
  });
