import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeCertificateCommand,
  IoTClient,
  ListPrincipalThingsCommand,
} from '@aws-sdk/client-iot';
import type { Remark } from '../local/runtime/refusal-book.ts';
import { incidentTable } from '../shared/adapters/security/incident-table.ts';
import type { Target } from './target.ts';

/**
 * What the gateway cannot know of a refusal: that an incident holds the device, which one, and how it is let go. Asked
 * of every refusal that containment may be behind: of an inactive certificate, of the quarantine policy, of a custom
 * authorizer.
 */
export function incidentRemark({ client, stage }: Pick<Target, 'client' | 'stage'>): Remark {
  const tools = {
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
  const table = incidentTable(
    new DynamoDBClient({ ...client }),
    `tributary-${stage}-incidents`,
    tools,
  );
  const iot = new IoTClient({ ...client });

  const thingsOf = async (certificateId: string | undefined): Promise<readonly string[]> => {
    if (certificateId === undefined || !/^[0-9a-f]{64}$/.test(certificateId)) return [];
    const found = await iot.send(new DescribeCertificateCommand({ certificateId }));
    const principal = found.certificateDescription?.certificateArn;
    const { things = [] } = await iot.send(new ListPrincipalThingsCommand({ principal }));
    return things;
  };

  return async (refusal) => {
    const names = await suspects(refusal, `tributary-${stage}-quarantine`, thingsOf);
    for (const thing of names) {
      const denial = await table.denial(thing, () => 5_000);
      if (denial === undefined || denial.rung === 'none') continue;
      const { rung, incidentId, holders } = denial;
      const cause = holders.find((one) => one.incidentId === incidentId)?.cause ?? 'unknown';
      return `${thing} is contained (${rung}) by incident ${incidentId}, ${cause}; to let it go: npm run incident -- release ${incidentId}`;
    }
    return undefined;
  };
}

/** Whom a refusal may be about, if containment may be behind it. */
async function suspects(
  refusal: Parameters<Remark>[0],
  quarantinePolicy: string,
  thingsOf: (certificateId: string | undefined) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  switch (refusal.type) {
    case 'certificate-refusal':
      return refusal.reason === 'INACTIVE' ? thingsOf(refusal.certificateId) : [];
    case 'policy-refusal':
      if (refusal.policy !== quarantinePolicy) return [];
      return refusal.clientId === undefined ? thingsOf(refusal.principal) : [refusal.clientId];
    case 'credential-refusal':
      return refusal.clientId === undefined ? [] : [refusal.clientId];
    default:
      return [];
  }
}
