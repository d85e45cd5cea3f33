/** Runs files of test vectors: rules with a message and what must come out. */
import type { Mqtt5Properties, SqlEnvironment, SqlMessage } from './message.ts';
import { compileRule, type RuleOutcome } from './rule.ts';
import { compileTemplate } from './template.ts';
import type { SqlObject } from './values.ts';

interface VectorContext {
  readonly clientId?: string;
  readonly protocol?: 'mqtt' | 'http' | 'https';
  readonly accountId?: string;
  readonly nowMs?: number;
  readonly sourceIp?: string;
  readonly traceId?: string;
  readonly principal?: string;
  readonly mqtt5?: {
    readonly contentType?: string;
    readonly payloadFormatIndicator?: 'UNSPECIFIED_BYTES' | 'UTF8_DATA';
    readonly responseTopic?: string;
    /** base64 */
    readonly correlationData?: string;
    readonly userProperties?: readonly (readonly [string, string])[];
  };
}

interface VectorMessage {
  readonly id: string;
  readonly topic: string;
  readonly payload?: unknown;
  readonly payloadText?: string;
  readonly payloadBase64?: string;
  readonly context?: VectorContext;
}

export interface RuleVector extends VectorMessage {
  readonly sql: string;
  /** The outgoing payload as JSON; null with `actionsRun` false where nothing goes out. */
  readonly expected: unknown;
  readonly actionsRun?: boolean;
  /** Keys that must be absent. */
  readonly undefined?: readonly string[];
  /** Absolute, for every number. */
  readonly tolerance?: number;
  /** Regular expressions for keys whose value is random. */
  readonly expectedPattern?: Readonly<Record<string, string>>;
}

export interface TemplateVector extends VectorMessage {
  readonly template: string;
  readonly expected: string;
  /** The rule whose SET binds the template's variables. */
  readonly sql?: string;
}

export interface VectorFile {
  readonly vectors: readonly RuleVector[];
  readonly templates?: readonly TemplateVector[];
}

export interface VectorFailure {
  readonly id: string;
  /** The statement or template. */
  readonly sql: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export interface VectorReport {
  readonly passed: readonly string[];
  readonly failed: readonly VectorFailure[];
}

/**
 * Runs every vector of a file; one that throws fails with the error as its actual value.
 *
 * @throws {TypeError} where the file is not of the form of {@link VectorFile}
 */
export function runVectors(file: unknown): VectorReport {
  const { vectors, templates = [] } = checked(file);
  const passed: string[] = [];
  const failed: VectorFailure[] = [];
  const record = (id: string, sql: string, expected: unknown, verdict: Verdict): void => {
    if (verdict.ok) passed.push(id);
    else failed.push({ id, sql, expected, actual: verdict.actual });
  };
  for (const vector of vectors) {
    const expected = vector.actionsRun === false ? NOTHING : vector.expected;
    record(
      vector.id,
      vector.sql,
      expected,
      attempt(() => runRule(vector)),
    );
  }
  for (const vector of templates) {
    record(
      vector.id,
      vector.template,
      vector.expected,
      attempt(() => runTemplate(vector)),
    );
  }
  return { passed, failed };
}

type Verdict = { readonly ok: true } | { readonly ok: false; readonly actual: unknown };

const NOTHING = 'no action runs';

function checked(file: unknown): VectorFile {
  const vectors = isRecord(file) ? file['vectors'] : undefined;
  const templates = (isRecord(file) ? file['templates'] : undefined) ?? [];
  if (!Array.isArray(vectors) || !Array.isArray(templates)) {
    throw new TypeError('vectors: expected an object with an array "vectors"');
  }
  const bad = [...vectors, ...templates].findIndex((vector) => !isVector(vector));
  if (bad >= 0) {
    throw new TypeError(`vectors[${bad}]: expected id, topic, and sql or template, as strings`);
  }
  return { vectors, templates };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isVector = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value['id'] === 'string' &&
  typeof value['topic'] === 'string' &&
  typeof (value['template'] ?? value['sql']) === 'string';

function attempt(run: () => Verdict): Verdict {
  try {
    return run();
  } catch (error) {
    return { ok: false, actual: String(error) };
  }
}

function runRule(vector: RuleVector): Verdict {
  const { actual, missing } = outcomeOf(vector);
  if (vector.actionsRun === false) {
    return actual === NOTHING ? { ok: true } : { ok: false, actual };
  }
  const wrong = missing || !fits(vector.expected, actual, vector);
  return wrong ? { ok: false, actual } : { ok: true };
}

function outcomeOf(vector: RuleVector): { actual: unknown; missing: boolean } {
  const outcome = compileRule(vector.sql).evaluate(messageOf(vector), environmentOf(vector));
  if (!outcome.matched) return { actual: NOTHING, missing: false };
  const actual = payloadJson(outcome);
  const absent = vector.undefined ?? [];
  const missing = isRecord(actual) && absent.some((key) => Object.hasOwn(actual, key));
  return { actual, missing };
}

function payloadJson(outcome: RuleOutcome & { matched: true }): unknown {
  if (outcome.binary) return { base64: Buffer.from(outcome.payload).toString('base64') };
  const text = Buffer.from(outcome.payload).toString();
  return text === '' ? undefined : JSON.parse(text);
}

/** Equality of JSON, numbers by value and within the tolerance. */
function fits(expected: unknown, actual: unknown, vector: RuleVector, key?: string): boolean {
  const pattern = key === undefined ? undefined : vector.expectedPattern?.[key];
  if (pattern !== undefined) return new RegExp(pattern).test(String(actual));
  if (typeof expected === 'number' && typeof actual === 'number') {
    return expected === actual || Math.abs(expected - actual) <= (vector.tolerance ?? 0);
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return (
      expected.length === actual.length &&
      expected.every((item, index) => fits(item, actual[index], vector))
    );
  }
  if (!isRecord(expected) || !isRecord(actual)) return expected === actual;
  const keys = Object.keys(expected);
  return (
    keys.length === Object.keys(actual).length &&
    keys.every((name) => name in actual && fits(expected[name], actual[name], vector, name))
  );
}

function runTemplate(vector: TemplateVector): Verdict {
  const message = messageOf(vector);
  const env = environmentOf(vector);
  const variables = vector.sql === undefined ? {} : variablesOf(vector.sql, message, env);
  const actual = compileTemplate(vector.template).evaluate(message, env, variables);
  return actual === vector.expected ? { ok: true } : { ok: false, actual };
}

function variablesOf(sql: string, message: SqlMessage, env: SqlEnvironment): SqlObject {
  const outcome = compileRule(sql).evaluate(message, env);
  return outcome.matched ? outcome.variables : {};
}

function messageOf({ topic, context = {}, ...vector }: VectorMessage): SqlMessage {
  const { clientId, sourceIp, traceId, principal, mqtt5 } = context;
  return {
    topic,
    payload: payloadBytes(vector),
    protocol: context.protocol?.startsWith('http') ? 'http' : 'mqtt',
    ...(clientId === undefined ? {} : { clientId }),
    ...(sourceIp === undefined ? {} : { sourceIp }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(principal === undefined ? {} : { principal }),
    ...(mqtt5 === undefined ? {} : { mqtt5: propertiesOf(mqtt5) }),
  };
}

function payloadBytes(
  vector: Pick<VectorMessage, 'payload' | 'payloadText' | 'payloadBase64'>,
): Uint8Array {
  if (vector.payloadBase64 !== undefined) return Buffer.from(vector.payloadBase64, 'base64');
  if (vector.payload === undefined) return Buffer.from(vector.payloadText ?? '');
  return Buffer.from(JSON.stringify(vector.payload));
}

function propertiesOf(mqtt5: NonNullable<VectorContext['mqtt5']>): Mqtt5Properties {
  const { payloadFormatIndicator, correlationData, ...rest } = mqtt5;
  return {
    ...rest,
    ...(payloadFormatIndicator === undefined ? {} : { formatIndicator: payloadFormatIndicator }),
    ...(correlationData === undefined
      ? {}
      : { correlationData: Buffer.from(correlationData, 'base64') }),
  };
}

const environmentOf = ({ context = {} }: VectorMessage): SqlEnvironment => ({
  nowMs: context.nowMs ?? 0,
  accountId: context.accountId ?? '000000000000',
  region: 'eu-central-1',
  random: () => 0.5,
  uuid: () => '6fa459ea-ee8a-4ca4-894e-db77e160355e',
});
