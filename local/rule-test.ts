/** Tests topic rules on a sample message, without a laptop: for `npm run rule` and for tests of one's own. */
import * as z from 'zod';
import { ofType } from './boot/resources.ts';
import {
  basicIngest,
  type CompiledRule,
  compileRule,
  compileTemplate,
  type ExplainStep,
  explainAsync,
  type Matched,
  type Mqtt5Properties,
  type SqlEnvironment,
  type SqlMessage,
  type Statement,
} from './core/sql/index.ts';
import { resolveTemplate } from './core/template/index.ts';

/** A message as a device would publish it. */
export interface SampleMessage {
  readonly topic: string;
  /** Bytes or text as they are; anything else is written as JSON. */
  readonly payload: unknown;
  /** `mqtt` unless said otherwise. */
  readonly protocol?: 'mqtt' | 'http';
  readonly clientId?: string;
  /** For X.509 the certificate's id. */
  readonly principal?: string;
  readonly sourceIp?: string;
  readonly traceId?: string;
  readonly mqtt5?: Mqtt5Properties;
}

/** What a rule sees beside the message; what is left out has a fixed value, so that outcomes can be compared. */
export interface SampleWorld {
  /** Only this rule, by its name, its name without `<service>_<stage>_`, or its logical id. */
  readonly rule?: string;
  /** Milliseconds since the Unix epoch; 0 unless told. */
  readonly nowMs?: number;
  readonly accountId?: string;
  readonly region?: string;
  readonly random?: () => number;
  readonly uuid?: () => string;
  /** Answers of functions that call a service, by function; a rule that calls another fails with its name. */
  readonly services?: NonNullable<SqlEnvironment['services']>;
}

/** What one rule makes of a message. */
export type RuleTest = {
  readonly rule: string;
  readonly sql: string;
  readonly actions: readonly ActionTest[];
  /** Every value that was looked at, innermost first; see `explain`. */
  readonly steps: readonly ExplainStep[];
} & (
  | {
      readonly matched: true;
      readonly payload: Uint8Array;
      /** Whether the payload passes as it came, as it is not JSON. */
      readonly binary: boolean;
      /** What SELECT names and does not write. */
      readonly undefined: readonly UndefinedOutput[];
    }
  | { readonly matched: false; readonly why: string }
);

/** An action with its parameters as they would be sent. */
export interface ActionTest {
  readonly kind: string;
  readonly isErrorAction: boolean;
  readonly parameters: unknown;
}

export interface UndefinedOutput {
  readonly source: string;
  readonly why: string;
}

const Payload = z.object({
  Sql: z.string(),
  Actions: z.array(z.record(z.string(), z.unknown())).default([]),
  ErrorAction: z.record(z.string(), z.unknown()).optional(),
  RuleDisabled: z.boolean().default(false),
});
const Properties = z.object({ TopicRulePayload: Payload });

interface Rule extends z.infer<typeof Payload> {
  readonly name: string;
  readonly logicalId: string;
}

const PLACE = { accountId: '000000000000', region: 'eu-central-1' };
const FIXED_UUID = '00000000-0000-4000-8000-000000000000';

/**
 * What rules make of a message: whether they match and why not, what they select, what their actions would send.
 *
 * @param source  one statement, or a compiled CloudFormation template with its topic rules
 * One of several rules that cannot be tested says why instead of the others' outcomes being lost.
 *
 * @throws {SqlSyntaxError | UnsupportedSqlError | ExternalCallError} for a statement that is none, that calls a service
 *   without an answer, or that fails for the service's answer
 * @throws {RangeError} where no rule of the template is meant
 */
export async function testRules(
  source: string | object,
  sample: SampleMessage,
  world: SampleWorld = {},
): Promise<RuleTest[]> {
  const message = messageOf(sample);
  if (typeof source === 'string') return [await testRule(looseRule(source), message, world)];
  return Promise.all(
    rulesOf(source, world).map(async (rule) => {
      try {
        return await testRule(rule, message, world);
      } catch (error) {
        if (world.rule !== undefined) throw error;
        const why = error instanceof Error ? error.message : String(error);
        return { rule: rule.name, sql: rule.Sql, matched: false, why, actions: [], steps: [] };
      }
    }),
  );
}

const looseRule = (Sql: string): Rule => ({
  name: 'statement',
  logicalId: 'statement',
  Sql,
  Actions: [],
  RuleDisabled: false,
});

/** The template's topic rules that are meant. @throws {RangeError} */
function rulesOf(template: object, { rule: wanted, ...world }: SampleWorld): Rule[] {
  const place = { ...PLACE, ...defined(world) };
  const stack = resolveTemplate(template, { ...place, partition: 'aws', stackName: 'tributary' });
  const rules = ofType(stack, 'AWS::IoT::TopicRule').map((resource) => {
    const { TopicRulePayload } = Properties.parse(resource.properties);
    return { ...TopicRulePayload, name: resource.name, logicalId: resource.logicalId };
  });
  const meant = rules.filter((rule) => wanted === undefined || isNamed(rule, wanted));
  if (meant.length > 0) return meant;
  const names = rules.map(({ name }) => name).join(', ') || 'none';
  throw new RangeError(`There is no rule ${wanted ?? ''}; the template has ${names}.`);
}

const defined = ({ accountId, region }: SampleWorld) => ({
  ...(accountId !== undefined && { accountId }),
  ...(region !== undefined && { region }),
});

const isNamed = ({ name, logicalId }: Rule, wanted: string): boolean =>
  [name, logicalId, name.split('_').slice(2).join('_')].includes(wanted);

function messageOf({ payload, protocol = 'mqtt', ...rest }: SampleMessage): SqlMessage {
  return { ...rest, protocol, payload: bytesOf(payload) };
}

function bytesOf(payload: unknown): Uint8Array {
  if (ArrayBuffer.isView(payload)) {
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
}

async function testRule(rule: Rule, message: SqlMessage, world: SampleWorld): Promise<RuleTest> {
  const { name, Sql, Actions, ErrorAction } = rule;
  const services = Object.keys(world.services ?? {});
  const compiled = compileRule(Sql, { services });
  const env = environmentOf(world);
  const common = { rule: name, sql: Sql };
  const aside = asideOf(rule, message, compiled.topicFilter);
  if (aside !== undefined) {
    return { ...common, matched: false, why: aside, actions: [], steps: [] };
  }
  const outcome = await compiled.evaluateAsync(message, env());
  const isInFrom = outcome.matched || !/^topic '/.test(outcome.why);
  const steps = isInFrom ? await explainAsync(compiled, message, env()) : [];
  if (!outcome.matched) {
    return { ...common, matched: false, why: outcome.why, actions: [], steps };
  }
  const turn = { message, env: env(), outcome, services };
  const declared = [
    ...Actions.map((action) => ({ action, isErrorAction: false })),
    ...(ErrorAction ? [{ action: ErrorAction, isErrorAction: true }] : []),
  ];
  return {
    ...common,
    matched: true,
    payload: outcome.payload,
    binary: outcome.binary,
    undefined: undefinedOutputs(compiled, steps),
    actions: await Promise.all(
      declared.flatMap(({ action, isErrorAction }) =>
        Object.entries(action).map(async ([kind, parameters]) => ({
          kind,
          isErrorAction,
          parameters: await substituted(parameters, turn),
        })),
      ),
    ),
    steps,
  };
}

/** Why a rule is not evaluated at all. */
function asideOf(
  { name, RuleDisabled }: Rule,
  { topic }: SqlMessage,
  topicFilter: string | undefined,
): string | undefined {
  const ingest = basicIngest(topic);
  if (RuleDisabled) return 'the rule is disabled';
  if (name === 'statement') return undefined;
  if (ingest === undefined) {
    return topicFilter === undefined
      ? 'the rule has no FROM: it runs when called by its name'
      : undefined;
  }
  if (ingest.rule === name) return undefined;
  return `by Basic Ingest the message goes to the rule ${ingest.rule} alone`;
}

/** Makes environments that all give the same, so that templates and steps see what the statement saw. */
function environmentOf(world: SampleWorld): () => SqlEnvironment {
  const { nowMs = 0, random = () => 0.5, uuid = () => FIXED_UUID, services } = world;
  return () => ({
    ...PLACE,
    ...defined(world),
    nowMs,
    random,
    uuid,
    ...(services && { services }),
  });
}

interface Turn {
  readonly message: SqlMessage;
  readonly env: SqlEnvironment;
  readonly outcome: Matched;
  readonly services: readonly string[];
}

/** A copy of an action's parameters with every `${…}` evaluated. */
async function substituted(value: unknown, turn: Turn): Promise<unknown> {
  if (typeof value === 'string') return value.includes('${') ? evaluated(value, turn) : value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => substituted(item, turn)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    async ([key, child]) => [key, await substituted(child, turn)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

function evaluated(text: string, { message, env, outcome, services }: Turn): Promise<string> {
  const variables = Object.keys(outcome.variables);
  return compileTemplate(text, { services, variables }).evaluateAsync(
    message,
    env,
    outcome.variables,
  );
}

/** What SELECT names and the payload lacks, with the innermost reason. */
function undefinedOutputs(
  { statement }: CompiledRule,
  steps: readonly ExplainStep[],
): UndefinedOutput[] {
  const selected = steps.filter(({ clause }) => clause === 'SELECT');
  return outputsOf(statement).flatMap((source) => {
    const at = selected.findLastIndex((step) => step.source === source);
    const step = selected[at];
    if (step === undefined || step.value !== undefined) return [];
    const inner = selected
      .slice(0, at)
      .find(({ source: text, value, why }) => value === undefined && why && source.includes(text));
    const reasons = [step.why, inner?.why].filter((why) => why !== undefined);
    return [{ source, why: [...new Set(reasons)].join('; ') || 'it gives nothing' }];
  });
}

const outputsOf = ({ source, select }: Statement): string[] =>
  (select.kind === 'value' ? [select.value] : select.items.map(({ value }) => value)).map(
    ({ start, end }) => source.slice(start, end),
  );
