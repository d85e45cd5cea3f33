import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  type IoTClient,
  ListTargetsForPolicyCommand,
  ListThingPrincipalsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';

/** A device certificate as the registry has it now. */
export interface RegisteredCertificate {
  readonly id: string;
  readonly arn: string;
  readonly status: string;
  /** Of the authority that signed it, if it is registered. */
  readonly authorityId: string | undefined;
  readonly accountId: string;
  readonly pem: string;
  readonly notAfterMs: number;
}

/** One page of certificates, and where the next begins. */
export interface CertificatePage {
  readonly ids: readonly string[];
  readonly marker: string | undefined;
}

export type Registry = ReturnType<typeof registry>;

const PAGE = 250;

/**
 * Things, certificates and policies of AWS IoT. All writes can be repeated. The control plane takes about ten calls a
 * second of a kind for the whole account, so calls that are throttled wait and go again.
 */
export const registry = (client: Pick<IoTClient, 'send'>, tools: RetryTools) => ({
  async certificate(id: string, timeLeft: TimeLeft): Promise<RegisteredCertificate | undefined> {
    const answer = await found(() =>
      patiently(
        () => client.send(new DescribeCertificateCommand({ certificateId: id })),
        tools,
        timeLeft,
      ),
    );
    const described = answer?.certificateDescription;
    if (described === undefined) return undefined;
    return {
      id,
      arn: described.certificateArn ?? '',
      status: described.status ?? '',
      authorityId: described.caCertificateId,
      accountId: described.ownedBy ?? '',
      pem: described.certificatePem ?? '',
      notAfterMs: described.validity?.notAfter?.getTime() ?? 0,
    };
  },

  /** The fleet that the registry has of a thing, `''` if none; undefined when there is no such thing. */
  async fleetOf(thing: string, timeLeft: TimeLeft): Promise<string | undefined> {
    const answer = await found(() =>
      patiently(() => client.send(new DescribeThingCommand({ thingName: thing })), tools, timeLeft),
    );
    return answer === undefined ? undefined : (answer.attributes?.['fleet'] ?? '');
  },

  /** Makes a thing, unless it is there already: with what attributes is for the caller to look at. */
  async createThing(thing: string, fleet: string, timeLeft: TimeLeft): Promise<void> {
    const attributePayload = { attributes: { fleet } };
    const command = new CreateThingCommand({ thingName: thing, attributePayload });
    try {
      await patiently(() => client.send(command), tools, timeLeft);
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    }
  },

  async certificatesOf(thing: string, timeLeft: TimeLeft): Promise<readonly string[]> {
    const ids: string[] = [];
    let nextToken: string | undefined;
    do {
      const command = new ListThingPrincipalsCommand({ thingName: thing, nextToken });
      const answer = await patiently(() => client.send(command), tools, timeLeft);
      ids.push(...(answer.principals ?? []).flatMap(certificateIdIn));
      nextToken = answer.nextToken;
    } while (nextToken !== undefined);
    return ids;
  },

  /** A page of the certificates that carry a policy. */
  async certificatesWith(
    policyName: string,
    marker: string | undefined,
    timeLeft: TimeLeft,
  ): Promise<CertificatePage> {
    const command = new ListTargetsForPolicyCommand({ policyName, marker, pageSize: PAGE });
    const answer = await patiently(() => client.send(command), tools, timeLeft);
    return { ids: (answer.targets ?? []).flatMap(certificateIdIn), marker: answer.nextMarker };
  },

  async attach(
    { arn }: Pick<RegisteredCertificate, 'arn'>,
    thing: string,
    policyNames: readonly string[],
    timeLeft: TimeLeft,
  ): Promise<void> {
    const toThing = new AttachThingPrincipalCommand({ thingName: thing, principal: arn });
    await patiently(() => client.send(toThing), tools, timeLeft);
    for (const policyName of policyNames) {
      const policy = new AttachPolicyCommand({ policyName, target: arn });
      await patiently(() => client.send(policy), tools, timeLeft);
    }
  },

  async detach(
    { arn }: Pick<RegisteredCertificate, 'arn'>,
    thing: string,
    policyNames: readonly string[],
    timeLeft: TimeLeft,
  ): Promise<void> {
    for (const policyName of policyNames) {
      const policy = new DetachPolicyCommand({ policyName, target: arn });
      await patiently(() => client.send(policy), tools, timeLeft);
    }
    const fromThing = new DetachThingPrincipalCommand({ thingName: thing, principal: arn });
    await patiently(() => client.send(fromThing), tools, timeLeft);
  },

  async setStatus(id: string, status: 'ACTIVE' | 'INACTIVE', timeLeft: TimeLeft): Promise<void> {
    const command = new UpdateCertificateCommand({ certificateId: id, newStatus: status });
    await patiently(() => client.send(command), tools, timeLeft);
  },
});

/** `…:cert/<id>`; other principals are no certificates. */
const certificateIdIn = (principal: string): string[] => {
  const [, id] = /:cert\/([0-9a-f]{64})$/.exec(principal) ?? [];
  return id === undefined ? [] : [id];
};

async function found<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
