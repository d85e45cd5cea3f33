import { parseCertificate } from '../../pki/index.ts';
import type { Operation } from '../operation.ts';
import { issuedAnswer } from './certificate-output.ts';
import { flag, type IotDeps, iotOperation, members } from './iot-call.ts';

/** The only time the private key is seen: it is not kept. */
export const createKeysAndCertificate = ({ registry, pki }: IotDeps): Operation =>
  iotOperation({
    name: 'CreateKeysAndCertificate',
    http: 'POST /keys-and-certificate',
    input: members({ setAsActive: flag.optional() }),
    on: () => '*',
    run: async ({ setAsActive = false }) => {
      const issued = await pki.issueAsAws();
      const reading = parseCertificate(issued.certificatePem);
      registry.addCertificate({ reading, status: setAsActive ? 'ACTIVE' : 'INACTIVE' });
      return {
        ...issuedAnswer(registry, reading),
        keyPair: { PublicKey: issued.publicKeyPem, PrivateKey: issued.privateKeyPem },
      };
    },
  });
