import * as z from 'zod';
import { type Authority, RegistryError } from '../../core/registry/index.ts';
import { isSignedBy, parseCertificate } from '../../pki/index.ts';
import type { Registry } from '../../stores/registry.ts';
import type { Operation } from '../operation.ts';
import { registeredAnswer } from './certificate-output.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';
import { parseRegistrable } from './registrable.ts';

const Input = members({
  certificatePem: z.string(),
  caCertificatePem: z.string().optional(),
  setAsActive: flag.optional(),
  status: z.enum(['ACTIVE', 'INACTIVE']).optional(),
});

/** Takes in a certificate that a registered, active authority signed. */
export const registerCertificate = ({ registry }: IotDeps): Operation =>
  iotOperation({
    name: 'RegisterCertificate',
    http: 'POST /certificate/register',
    input: Input,
    on: () => '*',
    run: async ({ certificatePem, caCertificatePem, setAsActive = false, status }) => {
      const reading = parseRegistrable(certificatePem);
      const authority = await signerOf(registry, certificatePem, caCertificatePem);
      registry.addCertificate({
        reading,
        status: status ?? (setAsActive ? 'ACTIVE' : 'INACTIVE'),
        caCertificateId: authority.certificateId,
      });
      return registeredAnswer(registry, reading.certificateId);
    },
  });

async function signerOf(
  registry: Registry,
  certificatePem: string,
  caCertificatePem: string | undefined,
): Promise<Authority> {
  const wanted = caCertificatePem && parseCertificate(caCertificatePem).certificateId;
  for (const authority of registry.listAuthorities()) {
    if (wanted !== undefined && wanted !== authority.certificateId) continue;
    if (authority.status !== 'ACTIVE') continue;
    if (await isSignedBy(certificatePem, authority.pem)) return authority;
  }
  throw new RegistryError(
    'CertificateValidationException',
    `no ${wanted === undefined ? 'registered, active CA' : `active CA ${wanted}`} signed this certificate; register the CA, or use RegisterCertificateWithoutCA`,
  );
}
