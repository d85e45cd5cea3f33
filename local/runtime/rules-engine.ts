import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../core/log.ts';
import type { Inbound } from '../core/mqtt/inbound.ts';
import { basicIngest, createTopicIndex, type SqlMessage } from '../core/sql/index.ts';
import type { Caller, Need } from '../operations/operation.ts';
import { demand } from '../servers/aws-access.ts';
import type { RuleSinks } from './rule-actions/action.ts';
import { messageOf } from './rule-actions/index.ts';
import type { RetryOptions } from './rule-actions/retry.ts';
import {
  compileDeclaration,
  type Rule,
  type RuleWorld,
  type TopicRuleSpec,
} from './rule-declaration.ts';
import { createRuleRun, type RulesEnvironment, type Say } from './rule-run.ts';
import { createRuleServices } from './rule-services.ts';
import { createServiceCalls } from './service-calls.ts';

export type { RuleSinks } from './rule-actions/action.ts';
export type { TopicRuleSpec } from './rule-declaration.ts';
export type { RulesEnvironment } from './rule-run.ts';

export interface RulesEngineOptions {
  readonly rules: readonly TopicRuleSpec[];
  readonly sinks: RuleSinks;
  /** Whether the role of an action, in the template, grants it. */
  readonly authorize: (
    roleArn: string,
    need: Need,
  ) => { readonly allowed: boolean; readonly explanation: string };
  readonly log: Log;
  readonly env: RulesEnvironment;
  readonly retries?: RetryOptions;
}

export interface RulesEngine {
  /**
   * Runs the rules that match. Resolves when each of their actions has been accepted or its failure has been
   * handed to the error action; never rejects.
   */
  readonly publish: (inbound: Inbound) => Promise<void>;
}

/** Rules that cannot run here; one line for each thing that is wrong or lacking. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `These rules cannot run on the laptop:\n${problems.map((line) => `- ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

const RETRIES: RetryOptions = { attempts: 3, firstWaitMs: 100 };
const MAX_REPUBLISHED = 10;

/**
 * The rules engine of AWS IoT Core, for the rules of a template.
 *
 * @throws {RulesError} naming every part of a rule that is wrong, or that the laptop lacks
 */
export function createRulesEngine(options: RulesEngineOptions): RulesEngine {
  const { log, env, retries = RETRIES } = options;
  /** How often rules have republished the message under way. */
  const republished = new AsyncLocalStorage<number>();
  const times = () => republished.getStore() ?? 0;
  const sinks = counting(options.sinks, (run) => republished.run(times() + 1, run));
  const rules = compileAll(options, sinks);
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const byTopic = createTopicIndex<Rule>();
  for (const rule of rules) {
    if (!rule.disabled && rule.sql.topicFilter !== undefined)
      byTopic.add(rule.sql.topicFilter, rule);
  }
  const say: Say = (level, message, details) =>
    log({ level, source: 'rules', message, ...details });
  const runRule = createRuleRun({ env, retries, say });

  const rulesFor = (topic: string): readonly Rule[] => {
    const ingest = basicIngest(topic);
    if (ingest === undefined) return byTopic.match(topic);
    const rule = byName.get(ingest.rule);
    if (rule !== undefined && !rule.disabled) return [rule];
    const why = rule === undefined ? 'there is no such rule' : 'the rule is disabled';
    say('warn', `RuleNotFound: ${ingest.rule}: ${why}`, { event: 'RuleNotFound', topic });
    return [];
  };

  const publish = async (inbound: Inbound): Promise<void> => {
    if (times() > MAX_REPUBLISHED) {
      const message = `Rules have republished one message ${times()} times, and the laptop stops here. AWS would not, and would bill it.`;
      say('error', message, { topic: inbound.topic });
      return;
    }
    const matching = rulesFor(inbound.topic);
    if (matching.length === 0) return;
    const message = sqlMessage(inbound);
    await Promise.all(matching.map((rule) => runRule(rule, message)));
  };

  return {
    publish: async (inbound) => {
      try {
        await publish(inbound);
      } catch (error) {
        say('error', `The rules engine failed: ${messageOf(error)}`, { topic: inbound.topic });
      }
    },
  };
}

function compileAll({ rules, authorize, env }: RulesEngineOptions, sinks: RuleSinks): Rule[] {
  const { accountId, region } = env;
  const granted = (caller: Caller, need: Need) =>
    caller.kind === 'function'
      ? authorize(caller.roleArn, need)
      : { allowed: false, explanation: 'a rule acts under a role' };
  const serviceCall = createServiceCalls(sinks.operations, granted);
  const world: RuleWorld = {
    accountId,
    region,
    sinks,
    services: (rule: TopicRuleSpec) => ({
      ...createRuleServices({
        rule,
        accountId,
        sinks,
        service: (target) => world.service(rule.name, target),
        now: env.now,
        sleep: env.sleep,
      }),
      ...env.services,
    }),
    demand: (ruleName: string, roleArn: string, needs: readonly Need[]) =>
      demand(granted, sessionOf(ruleName, roleArn), needs),
    service(ruleName: string, target: string) {
      const call = serviceCall(target);
      return (roleArn: string, input: unknown) => call(sessionOf(ruleName, roleArn), input);
    },
  };
  const problems: string[] = [];
  const compiled = rules.map((spec) => compileDeclaration(spec, world, problems));
  if (problems.length > 0) throw new RulesError(problems);
  return compiled.filter((rule) => rule !== undefined);
}

/** The sinks, with each republished message counted as long as it is under way. */
function counting(
  sinks: RuleSinks,
  counted: (run: () => Promise<void>) => Promise<void>,
): RuleSinks {
  const { deliver } = sinks;
  if (deliver === undefined) return sinks;
  return { ...sinks, deliver: (message) => counted(() => deliver(message)) };
}

/** The rule in a session of its action's role. */
const sessionOf = (ruleName: string, roleArn: string): Caller => ({
  kind: 'function',
  functionName: ruleName,
  roleArn,
});

const sqlMessage = ({ protocol, principal, sourceIp, ...rest }: Inbound): SqlMessage => ({
  ...rest,
  protocol: protocol === 'mqtt' ? 'mqtt' : 'http',
  ...(principal !== '' && { principal }),
  ...(sourceIp !== '' && { sourceIp }),
});
