import {
  AttachPolicyCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  type IoTClient,
  ListPrincipalThingsCommand,
  ListThingPrincipalsCommand,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import {
  DeleteConnectionCommand,
  type IoTDataPlaneClient,
  PublishCommand,
} from '@aws-sdk/client-iot-data-plane';
import type { Step, ThingFacts } from '../../core/security/containment.ts';
import { patiently } from '../patiently.ts';
import type { RetryTools, TimeLeft } from '../retry.ts';

/** Where certificates are, and what quarantines them. */
export interface Place {
  /** `arn:<partition>:iot:<region>:<account>` */
  readonly iot: string;
  readonly quarantinePolicy: string;
}

export type Containment = ReturnType<typeof containment>;

/** The acts on the registry and on sessions; each may be repeated. */
export const containment = (
  iot: Pick<IoTClient, 'send'>,
  data: Pick<IoTDataPlaneClient, 'send'>,
  tools: RetryTools,
) => {
  const certificateArn = ({ iot: prefix }: Pick<Place, 'iot'>, id: string): string =>
    `${prefix}:cert/${id}`;

  const statusOf = async (certificateId: string, timeLeft: TimeLeft) => {
    const describe = new DescribeCertificateCommand({ certificateId });
    const found = await unlessGone(() => patiently(() => iot.send(describe), tools, timeLeft));
    return found?.certificateDescription?.status;
  };

  /** Between ACTIVE and INACTIVE only: what is revoked or not activated yet is somebody else's to decide. */
  const setStatus = async (
    certificateId: string,
    newStatus: 'ACTIVE' | 'INACTIVE',
    timeLeft: TimeLeft,
  ): Promise<boolean> => {
    const from = newStatus === 'ACTIVE' ? 'INACTIVE' : 'ACTIVE';
    if ((await statusOf(certificateId, timeLeft)) !== from) return false;
    const update = new UpdateCertificateCommand({ certificateId, newStatus });
    await patiently(() => iot.send(update), tools, timeLeft);
    return true;
  };

  /** All pages: a certificate that is overlooked is a way in. */
  const principalsOf = async (thing: string, timeLeft: TimeLeft): Promise<readonly string[]> => {
    const principals: string[] = [];
    let nextToken: string | undefined;
    do {
      const list = new ListThingPrincipalsCommand({ thingName: thing, nextToken });
      const page = await patiently(() => iot.send(list), tools, timeLeft);
      principals.push(...(page.principals ?? []));
      nextToken = page.nextToken;
    } while (nextToken !== undefined && nextToken !== '');
    return principals;
  };

  /** The first page is enough: one other thing is too many. */
  const thingsOf = async (principal: string, timeLeft: TimeLeft): Promise<readonly string[]> => {
    const list = new ListPrincipalThingsCommand({ principal });
    const page = await unlessGone(() => patiently(() => iot.send(list), tools, timeLeft));
    return page?.things ?? [];
  };

  const act = async (step: Step, place: Place, timeLeft: TimeLeft): Promise<boolean> => {
    switch (step.act) {
      case 'attach-quarantine':
      case 'detach-quarantine': {
        const asked = {
          policyName: place.quarantinePolicy,
          target: certificateArn(place, step.certificateId),
        };
        await patiently(
          () =>
            step.act === 'attach-quarantine'
              ? iot.send(new AttachPolicyCommand(asked))
              : iot.send(new DetachPolicyCommand(asked)),
          tools,
          timeLeft,
        );
        return true;
      }
      case 'deactivate':
        return setStatus(step.certificateId, 'INACTIVE', timeLeft);
      case 'activate':
        return setStatus(step.certificateId, 'ACTIVE', timeLeft);
      case 'tell-device': {
        const { topic, payload, retain } = step.notice;
        const publish = new PublishCommand({
          topic,
          payload: Buffer.from(payload),
          retain,
          qos: 1,
        });
        await patiently(() => data.send(publish), tools, timeLeft);
        return true;
      }
      case 'disconnect': {
        const end = new DeleteConnectionCommand({ clientId: step.clientId });
        await patiently(() => data.send(end), tools, timeLeft);
        return true;
      }
    }
  };

  return {
    /** The thing as it is now; none when there is no such thing. */
    async facts(
      thing: string,
      place: Pick<Place, 'iot'>,
      timeLeft: TimeLeft,
    ): Promise<ThingFacts | undefined> {
      const described = await unlessGone(() =>
        patiently(() => iot.send(new DescribeThingCommand({ thingName: thing })), tools, timeLeft),
      );
      if (described === undefined) return undefined;
      const certificates = (await principalsOf(thing, timeLeft)).flatMap(certificateIdIn);
      const owners = new Set<string>();
      for (const id of certificates) {
        for (const owner of await thingsOf(certificateArn(place, id), timeLeft)) owners.add(owner);
      }
      owners.delete(thing);
      const attributes = described.attributes ?? {};
      return {
        fleet: attributes['fleet'],
        criticality: attributes['criticality'] === 'critical' ? 'critical' : 'normal',
        isGateway: attributes['role'] === 'gateway',
        certificates,
        sharedWith: [...owners],
      };
    },

    /** Whether a certificate is ACTIVE; none when it is gone. */
    async isActive(certificateId: string, timeLeft: TimeLeft): Promise<boolean | undefined> {
      const status = await statusOf(certificateId, timeLeft);
      return status === undefined ? undefined : status === 'ACTIVE';
    },

    /** @returns false where there was nothing to do: the thing, certificate or session is gone, or as it should be */
    async perform(step: Step, place: Place, timeLeft: TimeLeft): Promise<boolean> {
      return (await unlessGone(() => act(step, place, timeLeft))) ?? false;
    },
  };
};

const certificateIdIn = (principal: string): string[] => {
  const [, id] = /:cert\/([0-9a-f]{64})$/.exec(principal) ?? [];
  return id === undefined ? [] : [id];
};

/** Thing, certificate or session: the two clients have each an error of that name. */
async function unlessGone<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
