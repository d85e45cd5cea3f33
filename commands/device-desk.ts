import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetPolicyCommand,
  type IoTClient,
  ListThingPrincipalsCommand,
  paginateListThings,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { createRequest } from '../local/pki/index.ts';
import { FailedError } from './command.ts';

export interface DeviceCertificate {
  readonly certificateId: string;
  readonly status: string;
}

export interface ListedDevice {
  readonly thing: string;
  readonly fleet: string;
  readonly certificates: readonly DeviceCertificate[];
}

/** A certificate just made, and its key, which is nowhere else. */
export interface NewCertificate {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Without a name of its own, a new device belongs to this fleet. */
const DEFAULT_FLEET = 'demo';

/**
 * Devices in the registry of IoT Core, the same calls on AWS and on the laptop. The private key is made here and
 * never leaves: IoT Core signs a request whose subject names thing (CN) and fleet (O).
 */
export function openDeviceDesk(iot: IoTClient, stage: string) {
  const principalsOf = async (thing: string): Promise<string[]> => {
    const answer = await found(() =>
      iot.send(new ListThingPrincipalsCommand({ thingName: thing })),
    );
    if (answer === undefined) throw new FailedError(`There is no thing ${thing}.`);
    return (answer.principals ?? []).filter((principal) => principal.includes(':cert/'));
  };

  const fleetOf = async (thing: string): Promise<string | undefined> => {
    const answer = await found(() => iot.send(new DescribeThingCommand({ thingName: thing })));
    return answer === undefined ? undefined : (answer.attributes?.['fleet'] ?? '');
  };

  const statusOf = async (principal: string): Promise<DeviceCertificate> => {
    const certificateId = principal.slice(principal.lastIndexOf('/') + 1);
    const answer = await iot.send(new DescribeCertificateCommand({ certificateId }));
    return { certificateId, status: answer.certificateDescription?.status ?? 'UNKNOWN' };
  };

  const certificatesOf = async (thing: string): Promise<DeviceCertificate[]> =>
    Promise.all((await principalsOf(thing)).map(statusOf));

  /** A stage that pins the domains of devices has a policy of its own for HTTPS. */
  const policyNames = async (): Promise<string[]> => {
    const whole = `tributary-${stage}-device`;
    const https = `${whole}-https`;
    const there = await found(() => iot.send(new GetPolicyCommand({ policyName: https })));
    return there === undefined ? [whole] : [whole, https];
  };

  /** An active certificate that belongs to no thing yet and has no policy: it opens nothing. */
  const issue = async (thing: string, fleet: string): Promise<NewCertificate> => {
    const { requestPem, privateKeyPem } = await createRequest({ thing, fleet });
    const {
      certificateId = '',
      certificateArn = '',
      certificatePem = '',
    } = await iot.send(
      new CreateCertificateFromCsrCommand({
        certificateSigningRequest: requestPem,
        setAsActive: true,
      }),
    );
    return { certificateId, certificateArn, certificatePem, privateKeyPem };
  };

  /** Gives a certificate to its thing, with the policies of devices. */
  const attach = async (
    thing: string,
    { certificateArn: target }: NewCertificate,
  ): Promise<void> => {
    await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal: target }));
    for (const policyName of await policyNames()) {
      await iot.send(new AttachPolicyCommand({ policyName, target }));
    }
  };

  const activeOf = async (thing: string): Promise<string[]> =>
    (await certificatesOf(thing))
      .filter(({ status }) => status === 'ACTIVE')
      .map(({ certificateId }) => certificateId);

  /**
   * Makes the thing, unless it is there.
   *
   * @param fleet  where none is given, the one that it has, or `demo`
   * @returns      the fleet that it belongs to
   * @throws {FailedError} when it belongs to another fleet
   */
  const ensureThing = async (thing: string, fleet?: string): Promise<string> => {
    const known = await fleetOf(thing);
    if (known !== undefined && known !== (fleet ?? known)) {
      throw new FailedError(
        `${thing} belongs to fleet ${known}; a thing's name is unique over all fleets.`,
      );
    }
    if (known !== undefined) return known;
    const attributes = { fleet: fleet ?? DEFAULT_FLEET };
    const attributePayload = { attributes };
    await iot.send(new CreateThingCommand({ thingName: thing, attributePayload }));
    return attributes.fleet;
  };

  return {
    ensureThing,

    /**
     * A device's first certificate, or the first one after a revocation.
     *
     * @param keep  puts certificate and key where they are to be, before they open anything
     * @throws {FailedError} when the thing belongs to another fleet, or has a certificate that works
     */
    async add(thing: string, fleet?: string, keep: (made: NewCertificate) => void = () => {}) {
      const itsFleet = await ensureThing(thing, fleet);
      if ((await activeOf(thing)).length > 0) {
        throw new FailedError(
          `${thing} has an active certificate; \`npm run device -- rotate ${thing}\` replaces it.`,
        );
      }
      const made = await issue(thing, itsFleet);
      keep(made);
      await attach(thing, made);
      return { fleet: itsFleet, ...made };
    },

    /**
     * The certificate after the one in use. Both work until the device has connected with the new one.
     *
     * @param begin  tells the service of the change, before the new certificate opens anything
     * @throws {FailedError} when there is no such thing, or nothing to replace
     */
    async rotate(
      thing: string,
      keep: (made: NewCertificate) => void,
      begin: (certificateId: string) => Promise<void>,
    ) {
      const replaces = await activeOf(thing);
      if (replaces.length === 0) {
        throw new FailedError(
          `${thing} has no active certificate to replace; \`npm run device -- add ${thing}\` makes one.`,
        );
      }
      const fleet = (await fleetOf(thing)) ?? '';
      const made = await issue(thing, fleet);
      keep(made);
      await begin(made.certificateId);
      await attach(thing, made);
      return { fleet, replaces, ...made };
    },

    async list(): Promise<ListedDevice[]> {
      const devices: ListedDevice[] = [];
      for await (const { things = [] } of paginateListThings({ client: iot }, {})) {
        for (const { thingName = '', attributes = {} } of things) {
          const certificates = await certificatesOf(thingName);
          devices.push({ thing: thingName, fleet: attributes['fleet'] ?? '', certificates });
        }
      }
      return devices;
    },

    /** @returns ids of the certificates that were not revoked before */
    async revoke(thing: string): Promise<string[]> {
      const alive = (await certificatesOf(thing)).filter(({ status }) => status !== 'REVOKED');
      for (const { certificateId } of alive) {
        await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
      }
      return alive.map(({ certificateId }) => certificateId);
    },
  };
}

async function found<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
