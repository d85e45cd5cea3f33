import * as z from 'zod';
import type { Registry } from '../../shared/adapters/access/registry.ts';
import { Name } from '../../shared/core/names.ts';
import type { Invocation } from '../../shared/lambda/batch.ts';
import type { Log } from '../../shared/lambda/log.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface DashboardDeps {
  readonly registry: Pick<Registry, 'fleetOf' | 'createThing' | 'attach'>;
  readonly policyName: string;
  readonly log: Log;
}

/** `identityId`: of the pool, after somebody signed in; it is the client id of the dashboard's connection as well. */
const Admission = z.strictObject({
  identityId: z
    .string()
    .regex(
      /^[a-z]{2}(?:-[a-z]+)+-\d:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'wants an identity of a Cognito pool, <region>:<uuid>',
    ),
  fleet: Name,
});

/**
 * Lets an identity watch one fleet: a thing of its name says which, and the policy of dashboards, attached to the
 * identity, reads it there. Whoever may invoke this function decides who sees which fleet, so nobody else than what
 * signs people in should. It can be repeated.
 *
 * @throws {Error} when the input is wrong, or the identity watches another fleet: it cannot be moved, only removed
 */
export const dashboard =
  ({ registry, policyName, log }: DashboardDeps) =>
  async (event: unknown, invocation: Invocation): Promise<{ readonly admitted: true }> => {
    const timeLeft = (): number => invocation.getRemainingTimeInMillis();
    const { identityId, fleet } = check(event);
    let known = await registry.fleetOf(identityId, timeLeft);
    if (known === undefined) {
      await registry.createThing(identityId, fleet, timeLeft);
      known = await registry.fleetOf(identityId, timeLeft);
    }
    if (known !== fleet) throw new Error('fleet: this identity watches another fleet');
    await registry.attach({ arn: identityId }, identityId, [policyName], timeLeft);
    log('info', 'dashboard admitted', { fleet });
    return { admitted: true };
  };

function check(event: unknown): z.infer<typeof Admission> {
  const result = Admission.safeParse(event);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(problems.join('; '));
}
