import * as z from 'zod';
import { versionText } from '../shared/adapters/lorawan/codec-table.ts';
import { CodecFault } from '../shared/codec-runtime/codec-fault.ts';
import type { CodecRuntime, Input } from '../shared/codec-runtime/codec-runtime.ts';
import type { CodecVersion } from '../shared/core/lorawan/codec-version.ts';
import { difference, type Tried, tryCodec } from './codec-vectors.ts';
import { FailedError } from './command.ts';

/** What goes to a device, as its codec made it. */
export interface Encoded {
  /** `name@version` */
  readonly codec: string;
  readonly fPort: number;
  readonly payload: Buffer;
  readonly warnings: readonly string[];
}

const Texts = z
  .array(z.unknown())
  .nullish()
  .transform((texts) => (texts ?? []).map(String));
const Notes = z.object({ errors: Texts, warnings: Texts });
const Downlink = z.object({
  /** Some codecs leave it to who sends. */
  fPort: z
    .int('wants a whole number')
    .min(1, 'wants 1 to 223')
    .max(223, 'wants 1 to 223')
    .nullish(),
  bytes: z
    .array(z.int('wants whole numbers').min(0, 'wants 0 to 255').max(255, 'wants 0 to 255'))
    .min(1, 'is empty, wants 1 to 242 bytes')
    .max(242, 'is too long, wants 1 to 242 bytes'),
});

/** @throws {FailedError} when the version does not load */
export const loadCodec = (runtime: CodecRuntime, version: CodecVersion): Tried =>
  orFail(versionText(version), () => tryCodec(runtime, version.source));

/**
 * Makes bytes of a command by `encodeDownlink`, and has `decodeDownlink` read them, where there is one. What that reads
 * under a name of the command may be nothing else; what it does not name is a warning, as many vendors' codecs have
 * other names one way than the other.
 *
 * @param fPort  for codecs that leave it to who sends
 * @throws {FailedError} with what the codec reports, answers wrongly, or reads differently
 * @see LoRa Alliance TS013-1.0.0, Payload Codec API
 */
export function encodeCommand(
  codec: string,
  tried: Tried,
  data: object,
  { fPort: givenPort, nowMs }: { readonly fPort: number | undefined; readonly nowMs: number },
): Encoded {
  const input = { recvTime: nowMs, ...(givenPort !== undefined && { fPort: givenPort }) };
  const answer = ask(codec, tried, 'encodeDownlink', { ...input, data });
  if (answer.errors.length > 0)
    throw new FailedError(`encodeDownlink of ${codec} reports: ${answer.errors.join('; ')}.`);
  const { bytes, fPort = givenPort } = downlinkOf(codec, answer.body);
  if (fPort === undefined)
    throw new FailedError(
      `encodeDownlink of ${codec} leaves the port to you: name it with --fport.`,
    );
  const doubts = tried.functions.includes('decodeDownlink')
    ? readBack(codec, tried, data, { ...input, bytes, fPort })
    : [];
  const payload = Buffer.from(bytes);
  return { codec, fPort, payload, warnings: [...answer.warnings, ...doubts] };
}

function downlinkOf(codec: string, answer: unknown) {
  const { data, error } = Downlink.safeParse(answer);
  if (data !== undefined) return { bytes: data.bytes, fPort: data.fPort ?? undefined };
  const issues = error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new FailedError(`encodeDownlink of ${codec} made no downlink: ${issues.join('; ')}.`);
}

/** @returns what is to be said of how `decodeDownlink` reads the bytes */
function readBack(
  codec: string,
  tried: Tried,
  command: object,
  { bytes, ...input }: Input & { readonly bytes: readonly number[] },
): readonly string[] {
  try {
    const { body, errors, warnings } = ask(codec, tried, 'decodeDownlink', { bytes, ...input });
    if (errors.length > 0) return [`decodeDownlink does not read it: ${errors.join('; ')}`];
    const { data } = body;
    const unread = unreadOf(codec, command, data, '');
    if (unread.length === 0 || makesSame(tried, { ...input, data }, bytes)) return warnings;
    return [...warnings, `decodeDownlink does not tell ${unread.join(', ')} of it`];
  } catch (error) {
    if (error instanceof CodecFault) return [`decodeDownlink does not read it: ${error.message}`];
    throw error;
  }
}

/** Other names for the same make the same bytes. */
function makesSame(tried: Tried, input: Input, bytes: readonly number[]): boolean {
  try {
    const { data: answer } = Downlink.safeParse(tried.ask('encodeDownlink', input));
    return answer !== undefined && difference(bytes, answer.bytes, '') === undefined;
  } catch (error) {
    if (error instanceof CodecFault) return false;
    throw error;
  }
}

/**
 * @returns paths of the command that were not read back
 * @throws {FailedError} for one that has another value
 */
function unreadOf(codec: string, wanted: unknown, read: unknown, at: string): string[] {
  if (isContainer(wanted) && isContainer(read)) {
    const members = new Map(Object.entries(read));
    return Object.entries(wanted).flatMap(([name, value]) => {
      const path = at === '' ? name : `${at}.${name}`;
      return members.has(name) ? unreadOf(codec, value, members.get(name), path) : [path];
    });
  }
  if (isContainer(wanted) || isContainer(read)) return [at];
  const where = difference(wanted, read, at);
  if (where === undefined) return [];
  throw new FailedError(
    `decodeDownlink of ${codec} reads the bytes differently: ${where}. If they are right, send them as they are.`,
  );
}

const isContainer = (value: unknown): value is object =>
  typeof value === 'object' && value !== null;

/** @throws {CodecFault} from `decodeDownlink`, {FailedError} from `encodeDownlink` */
function ask(codec: string, tried: Tried, task: 'encodeDownlink' | 'decodeDownlink', input: Input) {
  const question = () => tried.ask(task, input);
  const answer = task === 'encodeDownlink' ? orFail(codec, question) : question();
  const body: Record<string, unknown> = Object(answer);
  const { data: notes } = Notes.safeParse(body);
  if (notes === undefined)
    throw new FailedError(`${task} of ${codec}: errors and warnings are lists of texts.`);
  return { body, ...notes };
}

function orFail<Answer>(codec: string, question: () => Answer): Answer {
  try {
    return question();
  } catch (error) {
    if (error instanceof CodecFault)
      throw new FailedError(`${codec}: ${error.code}: ${error.message}`);
    throw error;
  }
}
