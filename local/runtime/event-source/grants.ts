import type { Need } from '../../operations/operation.ts';
import { type Authorize, actingAs } from '../lambda-authorize.ts';
import type { QueueMappingSpec, StreamMappingSpec } from './specs.ts';

/**
 * The first grant that the function's role lacks to be fed, in words.
 *
 * @param needs  of each list the role must grant one
 */
export function missingGrant(
  { functionName, roleArn, sourceArn }: StreamMappingSpec | QueueMappingSpec,
  needs: readonly (readonly Need[])[],
  authorize: Authorize,
): string | undefined {
  const caller = actingAs(functionName, roleArn);
  for (const alternatives of needs) {
    const verdicts = alternatives.map((need) => ({ need, ...authorize(caller, need) }));
    const [first] = verdicts;
    if (!first || verdicts.some(({ allowed }) => allowed)) continue;
    const { action, resource } = first.need;
    return `${functionName} cannot be fed from ${sourceArn}: its role may not ${action} on ${resource}: ${first.explanation}`;
  }
  return undefined;
}
