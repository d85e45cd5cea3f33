import * as z from 'zod';
import type { Operation } from '../operation.ts';
import { registeredAnswer } from './certificate-output.ts';
import { type IotDeps, iotOperation, members } from './iot-call.ts';
import { parseRegistrable } from './registrable.ts';

const Input = members({
  certificatePem: z.string(),
  status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
});

export const registerCertificateWithoutCa = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'RegisterCertificateWithoutCA',
    http: 'POST /certificate/register-no-ca',
    input: Input,
    on: () => '*',
    run: ({ certificatePem, status = 'INACTIVE' }) => {
      const reading = parseRegistrable(certificatePem);
      registry.addCertificate({ reading, status, certificateMode: 'SNI_ONLY' });
      return registeredAnswer(registry, reading.certificateId);
    },
  });
