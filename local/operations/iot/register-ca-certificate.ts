import * as z from 'zod';
import { RegistryError } from '../../core/registry/index.ts';
import { isSignedBy, parseCertificate } from '../../pki/index.ts';
import type { Registry } from '../../stores/registry.ts';
import type { Operation } from '../operation.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';
import { parseRegistrable } from './registrable.ts';

const Input = members({
  caCertificate: z.string(),
  verificationCertificate: z.string().optional(),
  setAsActive: flag.optional(),
  allowAutoRegistration: flag.optional(),
  certificateMode: z.enum(['DEFAULT', 'SNI_ONLY']).optional(),
});

/** In `DEFAULT` mode the owner proves the key: a certificate it signed carries the registration code. */
export const registerCaCertificate = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'RegisterCACertificate',
    http: 'POST /cacertificate',
    input: Input,
    on: () => '*',
    run: async (input) => {
      const { caCertificate, certificateMode = 'DEFAULT' } = input;
      const reading = parseRegistrable(caCertificate);
      if (!reading.isAuthority)
        throw new RegistryError('CertificateValidationException', 'not the certificate of a CA');
      if (certificateMode === 'DEFAULT')
        await verify(registry, caCertificate, input.verificationCertificate);
      const { certificateId } = registry.addAuthority({
        reading,
        active: input.setAsActive ?? false,
        autoRegistration: input.allowAutoRegistration ?? false,
        certificateMode,
      });
      return { certificateArn: registry.arn.authority(certificateId), certificateId };
    },
  });

async function verify(registry: Registry, caPem: string, pem: string | undefined): Promise<void> {
  if (pem === undefined)
    throw new RegistryError(
      'InvalidRequestException',
      'a CA in DEFAULT mode needs a verificationCertificate; certificateMode SNI_ONLY needs none',
    );
  const { subject } = parseCertificate(pem);
  if (subject['CommonName']?.[0] !== registry.registrationCode)
    throw new RegistryError(
      'RegistrationCodeValidationException',
      'the common name of the verification certificate is not the registration code (GetRegistrationCode)',
    );
  if (!(await isSignedBy(pem, caPem)))
    throw new RegistryError(
      'CertificateValidationException',
      'the CA did not sign the verification certificate',
    );
}
