export type FaultCode =
  /** The source is no script, or its top level threw. */
  | 'CODEC_UNLOADABLE'
  /** It has no function for what is asked of it. */
  | 'CODEC_LACKS_FUNCTION'
  /** It threw. */
  | 'CODEC_THREW'
  /** It answered with `errors`. */
  | 'CODEC_REPORTED_ERRORS'
  /** Its answer is no plain, finite, bounded data of the shape that TS013 gives it. */
  | 'CODEC_ANSWER_INVALID'
  | 'CODEC_OUT_OF_STEPS'
  | 'CODEC_OUT_OF_TIME'
  | 'CODEC_OUT_OF_MEMORY'
  /** The interpreter itself broke; what it held is gone with it. */
  | 'CODEC_CRASHED';

/** What a codec did wrong. The message is for people; it can quote the codec, and so whatever its author wrote. */
export class CodecFault extends Error {
  override readonly name = 'CodecFault';
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Faults that cost a codec's whole budget: whoever causes many of them keeps others waiting. */
export const isCostly = ({ code }: CodecFault): boolean =>
  code === 'CODEC_OUT_OF_STEPS' ||
  code === 'CODEC_OUT_OF_TIME' ||
  code === 'CODEC_OUT_OF_MEMORY' ||
  code === 'CODEC_CRASHED';
