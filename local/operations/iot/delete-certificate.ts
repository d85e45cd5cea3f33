import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';

export const deleteCertificate = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'DeleteCertificate',
    http: 'DELETE /certificates/{certificateId}',
    input: members({ certificateId: z.string(), forceDelete: flag.optional() }),
    on: ({ certificateId }) => registry.arn.certificate(certificateId),
    run: ({ certificateId, forceDelete }) => {
      registry.deleteCertificate(certificateId, forceDelete);
    },
  });
