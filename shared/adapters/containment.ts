import {
  AttachPolicyCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  DetachPolicyCommand,
  type IoTClient,
  ListThingPrincipalsCommand,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { DeleteConnectionCommand, type IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import type { Step, ThingFacts } from '../core/security/containment.ts';
import { patiently } from './patiently.ts';
import type { RetryTools, TimeLeft } from './retry.ts';

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
  const certificateArn = ({ iot: prefix }: Place, id: string): string => `${prefix}:cert/${id}`;

  const setStatus = (
    certificateId: string,
    newStatus: 'ACTIVE' | 'INACTIVE',
    timeLeft: TimeLeft,
  ): Promise<unknown> =>
    patiently(
      () => iot.send(new UpdateCertificateCommand({ certificateId, newStatus })),
      tools,
      timeLeft,
    );

  return {
    /** The thing as it is now; none when there is no such thing. */
    async facts(thing: string, timeLeft: TimeLeft): Promise<ThingFacts | undefined> {
      const described = await unlessGone(() =>
        patiently(() => iot.send(new DescribeThingCommand({ thingName: thing })), tools, timeLeft),
      );
      if (described === undefined) return undefined;
      const { principals = [] } = await patiently(
        () => iot.send(new ListThingPrincipalsCommand({ thingName: thing })),
        tools,
        timeLeft,
      );
      const attributes = described.attributes ?? {};
      return {
        fleet: attributes['fleet'],
        criticality: attributes['criticality'] === 'critical' ? 'critical' : 'normal',
        isGateway: attributes['role'] === 'gateway',
        certificates: principals.flatMap(certificateIdIn),
      };
    },

    /** Whether a certificate is ACTIVE; none when it is gone. */
    async isActive(certificateId: string, timeLeft: TimeLeft): Promise<boolean | undefined> {
      const described = await unlessGone(() =>
        patiently(
          () => iot.send(new DescribeCertificateCommand({ certificateId })),
          tools,
          timeLeft,
        ),
      );
      return described === undefined
        ? undefined
        : described.certificateDescription?.status === 'ACTIVE';
    },

    /** What is gone by now needs no containment. */
    async perform(step: Step, place: Place, timeLeft: TimeLeft): Promise<void> {
      await unlessGone(async () => {
        switch (step.act) {
          case 'deny-credentials':
            // the denial is a row of the incidents' table, written before any act
            return;
          case 'attach-quarantine': {
            const target = certificateArn(place, step.certificateId);
            const policyName = place.quarantinePolicy;
            const attach = new AttachPolicyCommand({ policyName, target });
            await patiently(() => iot.send(attach), tools, timeLeft);
            return;
          }
          case 'deactivate':
            await setStatus(step.certificateId, 'INACTIVE', timeLeft);
            return;
          case 'disconnect': {
            const end = new DeleteConnectionCommand({ clientId: step.clientId });
            await patiently(() => data.send(end), tools, timeLeft);
            return;
          }
        }
      });
    },

    /** @param activate  whether the certificate was ACTIVE before */
    async restore(
      certificateId: string,
      activate: boolean,
      place: Place,
      timeLeft: TimeLeft,
    ): Promise<void> {
      await unlessGone(async () => {
        const target = certificateArn(place, certificateId);
        const detach = new DetachPolicyCommand({ policyName: place.quarantinePolicy, target });
        await patiently(() => iot.send(detach), tools, timeLeft);
        if (activate) await setStatus(certificateId, 'ACTIVE', timeLeft);
      });
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
