import * as z from 'zod';
import { CodecFault } from './codec-fault.ts';

/** What came out of the sandbox, before it is looked at as the answer to anything. */
export interface Answer {
  readonly bound: readonly string[];
  readonly answer: unknown;
  readonly normalized: unknown;
  readonly logs: readonly string[];
}

const Raw = z.object({
  bound: z.array(z.string()).default([]),
  answer: z.unknown().optional(),
  normalized: z.unknown().optional(),
  logs: z.array(z.string()).default([]),
  lacks: z.string().optional(),
  invalid: z.string().optional(),
  threw: z.string().optional(),
});

const OUT_OF_MEMORY = /^InternalError: out of memory/;

/**
 * @param text  what the runner in the sandbox answered; a codec may have had its hand in it
 * @throws {CodecFault} when the codec threw, answered what is no data, or lacks the function
 */
export function readAnswer(text: string): Answer {
  const { lacks, invalid, threw, ...answer } = parse(text);
  if (lacks !== undefined) throw new CodecFault('CODEC_LACKS_FUNCTION', `has no function ${lacks}`);
  if (invalid !== undefined) throw new CodecFault('CODEC_ANSWER_INVALID', invalid);
  if (threw === undefined) {
    return { ...answer, answer: answer.answer, normalized: answer.normalized };
  }
  if (OUT_OF_MEMORY.test(threw)) throw new CodecFault('CODEC_OUT_OF_MEMORY', threw);
  throw new CodecFault('CODEC_THREW', threw);
}

function parse(text: string): z.infer<typeof Raw> {
  try {
    return Raw.parse(JSON.parse(text));
  } catch {
    throw new CodecFault('CODEC_ANSWER_INVALID', '(root) is no answer of the sandbox');
  }
}
