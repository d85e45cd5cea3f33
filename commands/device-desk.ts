import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  type IoTClient,
  ListThingPrincipalsCommand,
  paginateListThings,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { createRequest } from '../local/pki/index.ts';
import { FailedError } from './command.ts';

export interface ListedDevice {
  readonly thing: string;
  readonly fleet: string;
  readonly certificates: readonly { readonly certificateId: string; readonly status: string }[];
}

/**
 * Devices in the registry of IoT Core, the same calls on AWS and on the laptop. The private key is made here and
 * never leaves: IoT Core signs a request whose subject names thing (CN) and fleet (O).
 */
export function openDeviceDesk(iot: IoTClient, stage: string) {
  const policyName = `tributary-${stage}-device`;

  const principalsOf = async (thing: string): Promise<string[]> => {
    try {
      const { principals = [] } = await iot.send(
        new ListThingPrincipalsCommand({ thingName: thing }),
      );
      return principals;
    } catch (error) {
      if (error instanceof ResourceNotFoundException)
        throw new FailedError(`There is no thing ${thing}.`);
      throw error;
    }
  };

  const ensureThing = async (thing: string, fleet: string): Promise<void> => {
    const known = await fleetOf(thing);
    if (known !== undefined && known !== fleet) {
      throw new FailedError(
        `${thing} belongs to fleet ${known}; a thing's name is unique over all fleets.`,
      );
    }
    if (known === undefined) {
      const attributePayload = { attributes: { fleet } };
      await iot.send(new CreateThingCommand({ thingName: thing, attributePayload }));
    }
  };

  const fleetOf = async (thing: string): Promise<string | undefined> => {
    try {
      const { attributes = {} } = await iot.send(new DescribeThingCommand({ thingName: thing }));
      return attributes['fleet'] ?? '';
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };

  const statusOf = async (principal: string) => {
    const certificateId = principal.slice(principal.lastIndexOf('/') + 1);
    const { certificateDescription } = await iot.send(
      new DescribeCertificateCommand({ certificateId }),
    );
    return { certificateId, status: certificateDescription?.status ?? 'UNKNOWN' };
  };

  return {
    /** @throws {FailedError} when the thing belongs to another fleet */
    async add(thing: string, fleet: string) {
      await ensureThing(thing, fleet);
      const { requestPem, privateKeyPem } = await createRequest({ thing, fleet });
      const {
        certificateArn,
        certificateId = '',
        certificatePem = '',
      } = await iot.send(
        new CreateCertificateFromCsrCommand({
          certificateSigningRequest: requestPem,
          setAsActive: true,
        }),
      );
      await iot.send(
        new AttachThingPrincipalCommand({ thingName: thing, principal: certificateArn }),
      );
      await iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
      return { certificateId, certificatePem, privateKeyPem };
    },

    async list(): Promise<ListedDevice[]> {
      const devices: ListedDevice[] = [];
      for await (const { things = [] } of paginateListThings({ client: iot }, {})) {
        for (const { thingName = '', attributes = {} } of things) {
          const certificates = await Promise.all((await principalsOf(thingName)).map(statusOf));
          devices.push({ thing: thingName, fleet: attributes['fleet'] ?? '', certificates });
        }
      }
      return devices;
    },

    /** @returns ids of the certificates that were active and are now revoked */
    async revoke(thing: string): Promise<string[]> {
      const revoked: string[] = [];
      for (const principal of await principalsOf(thing)) {
        const { certificateId, status } = await statusOf(principal);
        if (status === 'REVOKED') continue;
        await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
        revoked.push(certificateId);
      }
      return revoked;
    },
  };
}
