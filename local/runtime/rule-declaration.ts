import * as z from 'zod';
import { type CompiledRule, compileRule, compileTemplate } from '../core/sql/index.ts';
import type { Need } from '../operations/operation.ts';
import type {
  ActionTools,
  Parameter,
  RuleAction,
  RuleSinks,
  ServiceCall,
} from './rule-actions/action.ts';
import { createAction, messageOf } from './rule-actions/index.ts';
import type { RuleServices } from './rule-services.ts';

/** A topic rule of a template. */
export interface TopicRuleSpec {
  readonly name: string;
  readonly arn: string;
  /** Of the `AWS::IoT::TopicRule`, intrinsic functions resolved. */
  readonly properties: unknown;
}

export interface Rule {
  readonly name: string;
  readonly disabled: boolean;
  readonly sql: CompiledRule;
  readonly actions: readonly RuleAction[];
  readonly errorAction: RuleAction | undefined;
  /** What its functions that call a service run on. */
  readonly services: RuleServices;
}

/** What rules are compiled for. */
export interface RuleWorld {
  readonly accountId: string;
  readonly region: string;
  readonly sinks: RuleSinks;
  /** Functions of SQL that call a service which the laptop has, acting for a rule. */
  readonly services: (rule: TopicRuleSpec) => RuleServices;
  readonly demand: (ruleName: string, roleArn: string, needs: readonly Need[]) => void;
  /** @throws {Error} when the laptop does not have the target */
  readonly service: (ruleName: string, target: string) => ServiceCall;
}

const SQL_VERSION = '2016-03-23';
const MAX_ACTIONS = 10;

const Payload = z.strictObject({
  Sql: z.string(),
  AwsIotSqlVersion: z.literal(SQL_VERSION, {
    error: `must say ${SQL_VERSION}, the one version that the laptop has; without it AWS takes 2015-10-08`,
  }),
  Actions: z.array(z.unknown()).max(MAX_ACTIONS),
  ErrorAction: z.unknown().optional(),
  RuleDisabled: z.boolean().default(false),
  Description: z.string().optional(),
});

const Properties = z.strictObject({
  RuleName: z.string().optional(),
  TopicRulePayload: Payload,
  Tags: z.unknown().optional(),
});

/** Compiles one rule; what is wrong or lacking goes to `problems`, all of it. */
export function compileDeclaration(
  spec: TopicRuleSpec,
  world: RuleWorld,
  problems: string[],
): Rule | undefined {
  const properties = Properties.safeParse(spec.properties);
  if (!properties.success) {
    problems.push(`rule ${spec.name}: ${messageOf(properties.error)}`);
    return undefined;
  }
  const { Sql, Actions, ErrorAction, RuleDisabled } = properties.data.TopicRulePayload;
  const attempt = <Result>(what: string, make: () => Result): Result | undefined => {
    try {
      return make();
    } catch (error) {
      problems.push(`rule ${spec.name}, ${what}: ${messageOf(error)}`);
      return undefined;
    }
  };

  const services = world.services(spec);
  const names = Object.keys(services);
  const sql = attempt('SQL', () => compileRule(Sql, { services: names }));
  const variables = sql?.statement.assignments.map(({ name }) => name);
  const called = countCalls(sql?.services ?? []);
  const inTemplates = names.filter((name) => name !== NOT_IN_TEMPLATES);
  const tools = actionTools(spec, world, { services: inTemplates, variables, called });
  const actions = Actions.map((declared, at) =>
    attempt(`action ${at + 1}`, () => createAction(declared, tools)),
  );
  const errorTools = actionTools(spec, world, { services: [], variables, called });
  const errorAction =
    ErrorAction === undefined
      ? undefined
      : attempt('error action', () => createAction(ErrorAction, errorTools));
  if (sql === undefined) return undefined;
  return {
    name: spec.name,
    disabled: RuleDisabled,
    sql,
    actions: actions.filter((action) => action !== undefined),
    errorAction,
    services,
  };
}

/** Protobuf is decoded in statements only. @see IoT Core Developer Guide, Substitution templates */
const NOT_IN_TEMPLATES = 'decode_proto';
/** What a statement and its templates may call once in all. */
const ONCE_PER_RULE = 'get_registry_data';

interface TemplateScope {
  readonly services: readonly string[];
  readonly variables: readonly string[] | undefined;
  /** Whether the rule has made its one call by now. */
  readonly called: { once: boolean };
}

const countCalls = (services: readonly string[]): TemplateScope['called'] => ({
  once: services.includes(ONCE_PER_RULE),
});

function actionTools(
  { name, arn }: TopicRuleSpec,
  { accountId, region, sinks, demand, service }: RuleWorld,
  scope: TemplateScope,
): ActionTools {
  return {
    rule: { name, arn },
    accountId,
    region,
    sinks,
    parameter: (text) => parameterOf(text, scope),
    demand: (roleArn, needs) => demand(name, roleArn, needs),
    service: (target) => service(name, target),
  };
}

function parameterOf(text: string, { services, variables, called }: TemplateScope): Parameter {
  const template = compileTemplate(text, { services, ...(variables && { variables }) });
  if (template.services.includes(ONCE_PER_RULE)) {
    if (called.once) throw new Error(`${ONCE_PER_RULE} may be called once in a rule`);
    called.once = true;
  }
  if (template.services.length > 0) {
    return (turn) => template.evaluateAsync(turn.message, turn.env, turn.variables);
  }
  return (turn) => template.evaluate(turn.message, turn.env, turn.variables);
}
