import * as z from 'zod';
import type { EnrolmentTable } from '../../shared/adapters/access/enrolment-table.ts';
import type { Refusal } from '../../shared/adapters/security/denials.ts';
import { CertificateId } from '../../shared/core/access/authorities.ts';
import { RefusedError, refuse } from '../../shared/core/access/refused.ts';
import { checkSubject } from '../../shared/core/access/subject.ts';
import { Name } from '../../shared/core/names.ts';
import type { Log } from '../../shared/lambda/log.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface ProvisionDeps {
  readonly enrolments: Pick<EnrolmentTable, 'find' | 'claim'>;
  /** Whether an incident holds the thing. */
  readonly denialOf: (thing: string) => Promise<Refusal | undefined>;
  /** Name of the one template that this is the hook of. */
  readonly templateName: string;
  readonly log: Log;
  readonly now: () => number;
}

/** @see AWS IoT Core Developer Guide, "Pre-provisioning hooks", payload version 2020-04-01 */
const Claim = z.object({
  claimCertificateId: CertificateId,
  certificateId: CertificateId,
  certificatePem: z.string().max(65_536),
  templateArn: z.string(),
  clientId: z.string(),
  parameters: z.object({ SerialNumber: Name }),
});

/** What a template gets: nothing of it comes from the device. */
export interface HookAnswer {
  readonly allowProvisioning: boolean;
  readonly parameterOverrides?: { readonly ThingName: string; readonly Fleet: string };
}

/**
 * A device's claim → whether it becomes a thing, and which. The claim certificate is the same in many devices, so it
 * proves nothing: a device has to be expected by its serial number, and each number is good once. This function may
 * not touch certificates; AWS IoT does, when the answer is yes.
 */
export const provision =
  ({ enrolments, denialOf, templateName, log, now }: ProvisionDeps) =>
  async (event: unknown): Promise<HookAnswer> => {
    try {
      const claim = read(event, templateName);
      const serial = claim.parameters.SerialNumber;
      const enrolment = await enrolments.find(serial);
      if (enrolment === undefined) {
        return refuse('UNKNOWN_DEVICE', 'parameters.SerialNumber', 'is not expected');
      }
      const { thing, fleet } = enrolment;
      checkSubject(claim.certificatePem, { thing, fleet });
      const denial = await denialOf(thing);
      if (denial !== undefined) {
        refuse('CONTAINED', 'thing', `is contained because of incident ${denial.incidentId}`);
      }
      if (!(await enrolments.claim(serial, claim.certificateId, now()))) {
        refuse('ALREADY_PROVISIONED', 'parameters.SerialNumber', 'belongs to another certificate');
      }
      log('info', 'device provisioned', { thing, fleet });
      return { allowProvisioning: true, parameterOverrides: { ThingName: thing, Fleet: fleet } };
    } catch (error) {
      if (error instanceof RefusedError) {
        log('warn', 'provisioning refused', { code: error.code, issue: error.issue });
      } else {
        log('error', 'provisioning refused because of a fault', { error });
      }
      return { allowProvisioning: false };
    }
  };

/** @throws {RefusedError} when it is no claim, of another template, or by a client id that the policy does not give */
function read(event: unknown, templateName: string): z.infer<typeof Claim> {
  const { data: claim, error } = Claim.safeParse(event);
  if (claim === undefined) {
    const path = error?.issues[0]?.path.map(String).join('.') ?? '';
    return refuse('MALFORMED_EVENT', path || '(root)', 'is not as AWS IoT sends claims');
  }
  if (!claim.templateArn.endsWith(`:provisioningtemplate/${templateName}`)) {
    refuse('MALFORMED_EVENT', 'templateArn', 'is another template');
  }
  if (claim.clientId !== `claim-${claim.parameters.SerialNumber}`) {
    refuse('FOREIGN_CLIENT_ID', 'clientId', 'wants claim-<SerialNumber>');
  }
  return claim;
}
