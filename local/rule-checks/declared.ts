import * as z from 'zod';
import { ofType } from '../boot/resources.ts';
import {
  compileRule,
  compileTemplate,
  EXTERNAL_FUNCTIONS,
  type Expression,
  type Statement,
  walkExpressions,
} from '../core/sql/index.ts';
import type { ResolvedStack } from '../core/template/index.ts';
import { messageOf } from '../runtime/rule-actions/index.ts';

/** What is wrong with a rule. */
export interface Finding {
  readonly code: Code;
  /** `tributary_dev_telemetry, action 1: Kinesis.PartitionKey` */
  readonly where: string;
  readonly problem: string;
}

export type Code =
  | 'statement'
  | 'error-action'
  | 'redirection'
  | 'integer-division'
  | 'target'
  | 'role'
  | 'republish-loop';

/** A topic rule with its statement read. */
export interface DeclaredRule {
  readonly name: string;
  readonly arn: string;
  /** Undefined where it could not be read; the findings say why. */
  readonly statement: Statement | undefined;
  readonly actions: readonly DeclaredAction[];
  readonly hasErrorAction: boolean;
  readonly findings: readonly Finding[];
}

export interface DeclaredAction {
  /** The rule and which of its actions. */
  readonly where: string;
  readonly kind: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly substitutions: readonly Substitution[];
}

/** A parameter that holds `${…}`. */
export interface Substitution {
  /** `Republish.Topic`, `Republish.Headers.UserProperties.0.Value` */
  readonly path: string;
  readonly text: string;
  readonly expressions: readonly Expression[];
  /** Literal text and expressions, in order. */
  readonly parts: readonly (string | Expression)[];
}

const Properties = z.object({
  TopicRulePayload: z.object({
    Sql: z.string(),
    Actions: z.array(z.record(z.string(), z.unknown())),
    ErrorAction: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** On AWS every function has its service. */
const ALL = { services: EXTERNAL_FUNCTIONS };

/** The template's topic rules, as far as they can be read. */
export const declaredRules = (stack: ResolvedStack): DeclaredRule[] =>
  ofType(stack, 'AWS::IoT::TopicRule').map(({ name, arn = '', properties }) => {
    const findings: Finding[] = [];
    const attempt = <T>(where: string, read: () => T): T | undefined => {
      try {
        return read();
      } catch (error) {
        findings.push({ code: 'statement', where, problem: messageOf(error) });
        return undefined;
      }
    };
    const declared = attempt(name, () => Properties.parse(properties).TopicRulePayload);
    const { Sql, Actions = [], ErrorAction } = declared ?? {};
    const statement =
      Sql === undefined
        ? undefined
        : attempt(`${name}, SQL`, () => compileRule(Sql, ALL).statement);
    const places = [
      ...Actions.map((action, at) => [`${name}, action ${at + 1}`, action] as const),
      ...(ErrorAction ? [[`${name}, error action`, ErrorAction] as const] : []),
    ];
    const actions = places.flatMap(([where, action]) =>
      Object.entries(action).map(([kind, value]): DeclaredAction => {
        const parameters = z.record(z.string(), z.unknown()).catch({}).parse(value);
        const texts = textsIn(parameters, kind).filter(([, text]) => text.includes('${'));
        const substitutions = texts.flatMap(([path, text]) => {
          const template = attempt(`${where}: ${path}`, () => compileTemplate(text, ALL).template);
          if (template === undefined) return [];
          return [
            { path, text, expressions: [...walkExpressions(template)], parts: template.parts },
          ];
        });
        return { where, kind, parameters, substitutions };
      }),
    );
    return { name, arn, statement, actions, hasErrorAction: ErrorAction !== undefined, findings };
  });

/** Every text in a value, with the way to it. */
function textsIn(value: unknown, path: string): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => textsIn(child, `${path}.${key}`));
}
