import * as z from 'zod';
import { CERTIFICATE_STATUSES } from '../../core/registry/index.ts';
import type { Operation } from '../operation.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';

const Input = members({ certificateId: z.string(), newStatus: z.enum(CERTIFICATE_STATUSES) });

export const updateCertificate = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'UpdateCertificate',
    http: 'PUT /certificates/{certificateId}',
    input: Input,
    on: ({ certificateId }) => registry.arn.certificate(certificateId),
    run: ({ certificateId, newStatus }) => {
      registry.updateCertificate(certificateId, newStatus);
    },
  });
