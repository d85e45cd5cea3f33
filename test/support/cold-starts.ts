import { readdirSync } from 'node:fs';
import { readCodec } from '../../commands/codec-files.ts';
import { checkVectors, tryCodec } from '../../commands/codec-vectors.ts';
import { seeded } from '../../local/fleet/random.ts';
import { CodecRuntime } from '../../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../../shared/codec-runtime/engine-file.ts';

/** Every so many starts, the engine is one that V8 has never seen, and so has compiled nothing of. */
const UNSEEN_EVERY = 20;

export interface ColdStart {
  readonly isUnseen: boolean;
  readonly tookMs: number;
  /** What became of a good codec's first messages; nothing where all was well. */
  readonly problem: string | undefined;
}

/** Starts runtimes, and lets each do its first work at once: a codec of ours and all of its vectors, within budget. */
export function* coldStarts(count: number, seed: number): Generator<ColdStart> {
  const engine = readEngine('.');
  const codecs = readdirSync('codecs').map((name) => readCodec(`codecs/${name}`));
  const random = seeded(seed);
  for (let start = 0; start < count; start += 1) {
    const isUnseen = start % UNSEEN_EVERY === 0;
    const codec = codecs[Math.floor(random() * codecs.length)];
    if (codec === undefined) throw new Error('there are no codecs');
    const binary = isUnseen ? salted(engine, `${seed} ${start}`) : engine;
    const startedAt = performance.now();
    const problem = firstWork(binary, codec);
    yield { isUnseen, tookMs: performance.now() - startedAt, problem };
  }
}

function firstWork(
  binary: Uint8Array,
  { name, source, vectors }: ReturnType<typeof readCodec>,
): string | undefined {
  const runtime = new CodecRuntime(binary, () => performance.now());
  const failed = checkVectors(tryCodec(runtime, source), vectors).find(
    ({ problem }) => problem !== undefined,
  );
  return failed && `${name}, ${failed.vector.description}: ${failed.problem}`;
}

/** The same engine with a section that says nothing, so that it is another one to V8. */
function salted(engine: Uint8Array, salt: string): Uint8Array {
  const name = Buffer.from(`salt ${salt}`);
  return Buffer.concat([engine, Uint8Array.of(0, name.length + 1, name.length), name]);
}
