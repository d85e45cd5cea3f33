import { CodecFault } from '../../../shared/codec-runtime/codec-fault.ts';
import { CodecRuntime, type Input } from '../../../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../../../shared/codec-runtime/engine-file.ts';

const ENGINE = readEngine('.');

/** 2026-09-21T13:46:40Z */
export const NOW_MS = 1_790_000_000_000;

export const newRuntime = (): CodecRuntime => new CodecRuntime(ENGINE, () => performance.now());

/** What a codec makes of a message, as a fresh state sees it. */
export const decode = (
  runtime: CodecRuntime,
  source: string,
  input: Input = { bytes: [1, 2, 3], fPort: 2, recvTime: NOW_MS },
): unknown => runtime.run(runtime.load(source), 'decodeUplink', input, NOW_MS).answer;

/** What a script leaves as the value of `expression`, through a codec. */
export const evaluated = (runtime: CodecRuntime, expression: string, before = ''): unknown => {
  const answer = decode(
    runtime,
    `${before}; function decodeUplink(input) { return { data: { value: (${expression}) } }; }`,
  );
  return (answer as { data: { value: unknown } }).data.value;
};

export function faultOf(step: () => unknown): CodecFault {
  try {
    step();
  } catch (error) {
    if (error instanceof CodecFault) return error;
    throw error;
  }
  throw new Error('nothing went wrong');
}
