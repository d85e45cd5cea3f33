import * as z from 'zod';
import type { Log } from '../core/log.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import {
  createRulesEngine,
  type RuleSinks,
  type RulesEngine,
  type RulesEnvironment,
  RulesError,
} from '../runtime/rules-engine.ts';
import { arnOf, BootError, ofType } from './resources.ts';
import type { Roles } from './roles.ts';

export interface RuleOptions {
  readonly sinks: RuleSinks;
  readonly roles: Roles;
  readonly env: RulesEnvironment;
  readonly log: Log;
}

/** The template's topic rules, compiled. @throws {BootError} naming whatever of them cannot run here */
export function openRules(stack: ResolvedStack, options: RuleOptions): RulesEngine {
  const { sinks, roles, env, log } = options;
  const rules = ofType(stack, 'AWS::IoT::TopicRule').map((rule) => ({
    name: rule.name,
    arn: arnOf(rule),
    properties: rule.properties,
  }));
  try {
    return createRulesEngine({
      rules,
      sinks,
      authorize: roles.authorizeRole,
      log,
      env,
    });
  } catch (error) {
    if (error instanceof RulesError) throw new BootError(error.problems);
    throw error;
  }
}

const ErrorAction = z.object({
  TopicRulePayload: z.object({
    ErrorAction: z.object({ Sqs: z.object({ QueueUrl: z.string() }) }),
  }),
});

/** Names of the queues that the rules' error actions write to. */
export const errorActionQueues = (stack: ResolvedStack): ReadonlySet<string> =>
  new Set(
    ofType(stack, 'AWS::IoT::TopicRule').flatMap(({ properties }) => {
      const url = ErrorAction.safeParse(properties).data?.TopicRulePayload.ErrorAction.Sqs.QueueUrl;
      return url === undefined ? [] : [url.slice(url.lastIndexOf('/') + 1)];
    }),
  );
