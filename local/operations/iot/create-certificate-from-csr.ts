import * as z from 'zod';
import { parseCertificate } from '../../pki/index.ts';
import type { Operation } from '../operation.ts';
import { issuedAnswer } from './certificate-output.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';

const Input = members({
  certificateSigningRequest: z.string(),
  setAsActive: flag.optional(),
});

export const createCertificateFromCsr = ({ registry, pki }: IotDeps): Operation =>
  iotOperation({
    name: 'CreateCertificateFromCsr',
    http: 'POST /certificates',
    input: Input,
    on: () => '*',
    run: async ({ certificateSigningRequest, setAsActive = false }) => {
      const reading = parseCertificate(await pki.signAsAws(certificateSigningRequest));
      registry.addCertificate({ reading, status: setAsActive ? 'ACTIVE' : 'INACTIVE' });
      return issuedAnswer(registry, reading);
    },
  });
