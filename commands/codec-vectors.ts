import * as z from 'zod';
import { CodecFault } from '../shared/codec-runtime/codec-fault.ts';
import type { Codec, CodecRuntime, Input } from '../shared/codec-runtime/codec-runtime.ts';
import { RejectedError } from '../shared/core/errors.ts';
import { decodeFields, parseFieldFormat } from '../shared/core/lorawan/formats/fields.ts';
import { measurementOf } from '../shared/core/lorawan/measurements.ts';

/** What a codec is asked, and what it has to answer. */
export interface Vector {
  readonly description: string;
  readonly task: 'decodeUplink' | 'encodeDownlink' | 'decodeDownlink';
  readonly input: Input;
  readonly output: Readonly<Record<string, unknown>>;
}

export interface Outcome {
  readonly vector: Vector;
  /** Why it failed; nothing for one that passed. */
  readonly problem: string | undefined;
}

/** A script or a description of fields, ready to be asked. */
export interface Tried {
  readonly kind: 'script' | 'fields';
  readonly functions: readonly string[];
  readonly ask: (task: Vector['task'], input: Input) => unknown;
}

const Bytes = z.union([
  z.array(z.int().min(0).max(255)),
  z
    .string()
    .transform((text) => text.replace(/0x|[\s,:-]/gi, ''))
    .refine((text) => /^([0-9a-f]{2})*$/i.test(text), 'wants bytes in hexadecimal')
    .transform((text) => [...Buffer.from(text, 'hex')]),
]);
const VectorInput = z.looseObject({
  bytes: Bytes.optional(),
  fPort: z.coerce.number().int().optional(),
  recvTime: z
    .union([z.string(), z.number(), z.date().transform((date) => date.toISOString())])
    .optional(),
});
const Output = z.looseObject({ bytes: Bytes.optional() });

const TASKS = {
  uplink: 'decodeUplink',
  'downlink-encode': 'encodeDownlink',
  'downlink-decode': 'decodeDownlink',
} as const;

/** Examples of TS013's package, and ours: each says what it is of. */
const Example = z.object({
  type: z.enum(['uplink', 'downlink-encode', 'downlink-decode']).default('uplink'),
  description: z.string().default(''),
  input: z.unknown(),
  output: Output,
});
/** ChirpStack's tests: the file's name says what they are of. */
const Test = z.object({ name: z.string().default(''), input: z.unknown(), expected: Output });

/** A function of The Things Stack's codec definition. */
const Definition = z
  .object({ fileName: z.string(), examples: z.array(Example).default([]) })
  .optional();
const CodecDefinition = z.object({
  uplinkDecoder: Definition,
  downlinkEncoder: Definition,
  downlinkDecoder: Definition,
});

/**
 * Vectors as a file holds them: a list of ours or of TS013, ChirpStack's tests, or the definition of a codec of The
 * Things Stack.
 *
 * @throws {z.ZodError} naming what is none of these
 */
export function readVectors(fileName: string, content: unknown): Vector[] {
  if (!Array.isArray(content)) return fromDefinition(CodecDefinition.parse(content));
  if (/^test_(de|en)code/.test(fileName)) {
    const task = fileName.startsWith('test_decode') ? 'decodeUplink' : 'encodeDownlink';
    return z
      .array(Test)
      .parse(content)
      .map(({ name, input, expected }) => vector(task, name, input, expected));
  }
  return z
    .array(Example)
    .parse(content)
    .map(({ type, description, input, output }) => vector(TASKS[type], description, input, output));
}

function fromDefinition(definition: z.infer<typeof CodecDefinition>): Vector[] {
  const { uplinkDecoder, downlinkEncoder, downlinkDecoder } = definition;
  const of = (task: Vector['task'], one: z.infer<typeof Definition>): Vector[] =>
    (one?.examples ?? []).map(({ description, input, output }) =>
      vector(task, description, input, output),
    );
  return [
    ...of('decodeUplink', uplinkDecoder),
    ...of('encodeDownlink', downlinkEncoder),
    ...of('decodeDownlink', downlinkDecoder),
  ];
}

function vector(
  task: Vector['task'],
  description: string,
  given: unknown,
  output: Record<string, unknown>,
): Vector {
  // some examples of downlinks are their data, without a name around it
  const isBare = task === 'encodeDownlink' && !Object.hasOwn(Object(given), 'data');
  const { bytes, fPort, recvTime, ...rest } = VectorInput.parse(isBare ? { data: given } : given);
  const input: Input = {
    ...rest,
    ...(bytes !== undefined && { bytes }),
    ...(fPort !== undefined && { fPort }),
    ...(task !== 'encodeDownlink' && { recvTime: recvTime ?? DEFAULT_TIME_MS }),
  };
  return { task, description, input, output };
}

/** 2026-01-01T00:00:00Z, for vectors that say nothing of time. */
const DEFAULT_TIME_MS = 1_767_225_600_000;

/** The codec's clock for a vector. */
const timeOf = ({ recvTime }: Input): number => {
  const ms = typeof recvTime === 'string' ? Date.parse(recvTime) : (recvTime ?? DEFAULT_TIME_MS);
  return Number.isNaN(ms) ? DEFAULT_TIME_MS : ms;
};

/** @throws {CodecFault | RejectedError} for a source that does not load */
export function tryCodec(runtime: CodecRuntime, source: string): Tried {
  if (!source.trimStart().startsWith('{')) return tryScript(runtime, runtime.load(source));
  const format = parseFieldFormat(source);
  return {
    kind: 'fields',
    functions: ['decodeUplink'],
    ask: (_task, { bytes = [], fPort = 1 }) => {
      const { metrics, units } = decodeFields(format, Uint8Array.from(bytes), fPort);
      return { data: { ...metrics, ...(units !== undefined && { units }) } };
    },
  };
}

const tryScript = (runtime: CodecRuntime, codec: Codec): Tried => ({
  kind: 'script',
  functions: [...codec.functions],
  ask: (task, input) => runtime.run(codec, task, input, timeOf(input)).answer,
});

/** Asks a codec each vector, each in a fresh state. */
export const checkVectors = (tried: Tried, vectors: readonly Vector[]): Outcome[] =>
  vectors.map((one) => ({ vector: one, problem: problemOf(tried, one) }));

function problemOf(tried: Tried, { task, input, output }: Vector): string | undefined {
  try {
    const answer = Object(tried.ask(task, input)) as Record<string, unknown>;
    const wanted = task === 'encodeDownlink' ? downlinkOf(output) : decodedOf(output);
    const given = task === 'encodeDownlink' ? downlinkOf(answer) : decodedOf(answer);
    const where = difference(wanted, given, '');
    if (where !== undefined) return where;
    if (task === 'decodeUplink' && given['data'] !== undefined) measurementOf(given['data']);
    return undefined;
  } catch (error) {
    if (error instanceof CodecFault) return `${error.code}: ${error.message}`;
    if (error instanceof RejectedError)
      return `no reading can be made of it: ${error.issues.join('; ')}`;
    throw error;
  }
}

/** With errors there is no data; an empty list is none. */
function decodedOf({ data, errors, warnings }: Record<string, unknown>): Record<string, unknown> {
  const failed = isFilled(errors);
  return {
    ...(failed ? { errors } : { data }),
    ...(isFilled(warnings) && { warnings }),
  };
}

function downlinkOf({ fPort, bytes, errors }: Record<string, unknown>): Record<string, unknown> {
  return isFilled(errors) ? { errors } : { fPort, bytes };
}

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0;

const TOLERANCE = 1e-6;

/** Where two answers differ first; numbers may by a millionth, and null is as good as nothing. */
export function difference(wanted: unknown, given: unknown, at: string): string | undefined {
  if (isSame(wanted, given)) return undefined;
  if (
    !isContainer(wanted) ||
    !isContainer(given) ||
    Array.isArray(wanted) !== Array.isArray(given)
  ) {
    return `${at === '' ? '(root)' : at}: wants ${show(wanted)}, is ${show(given)}`;
  }
  const [one, other] = [wanted as Record<string, unknown>, given as Record<string, unknown>];
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const path = Array.isArray(wanted) ? `${at}[${key}]` : at === '' ? key : `${at}.${key}`;
    const found = difference(one[key], other[key], path);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isContainer = (value: unknown): boolean => typeof value === 'object' && value !== null;

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one === 'number' && typeof other === 'number') {
    return Math.abs(one - other) <= TOLERANCE * Math.max(1, Math.abs(one), Math.abs(other));
  }
  return (one ?? null) === (other ?? null);
}

const show = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
