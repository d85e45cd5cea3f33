import type { ResolvedStack } from '../core/template/index.ts';
import { declaredRules, type Finding } from './declared.ts';
import { ambiguousDivisions } from './integer-division.ts';
import { redirections } from './redirection.ts';
import { republishLoops } from './republish-loop.ts';
import { checkTargets } from './targets.ts';

/**
 * What is wrong with the topic rules of a template, before they are deployed: a statement that is none, no error
 * action, a payload that could redirect data, a division that may cut, an action that leads nowhere or that its role
 * does not allow, a republished message that could come back.
 */
export function checkRules(
  stack: ResolvedStack,
  place: { readonly accountId: string; readonly region: string },
): Finding[] {
  const rules = declaredRules(stack);
  return [
    ...rules.flatMap(({ findings }) => findings),
    ...rules
      .filter(({ hasErrorAction }) => !hasErrorAction)
      .map(({ name }): Finding => {
        const problem = 'has none: a message that no action could deliver is dropped';
        return { code: 'error-action', where: `${name}, error action`, problem };
      }),
    ...rules.flatMap(redirections),
    ...rules.flatMap(ambiguousDivisions),
    ...checkTargets(stack, rules, place),
    ...republishLoops(rules),
  ];
}
