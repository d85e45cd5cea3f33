import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { readCodec } from '../commands/codec-files.ts';
import type { Vector } from '../commands/codec-vectors.ts';
import { type Codec, CodecRuntime } from '../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../shared/codec-runtime/engine-file.ts';

/*
 * What the sandbox costs: microseconds an uplink, beside the same functions called as they are in the same run; what
 * a cold start and the load of a codec take; and what holding many codecs takes of memory.
 */

const ROUNDS = 400;
const COLD_STARTS = 7;
/** Distinct codecs of a size that is common: a small one of ours and a table beside it. */
const TABLE_KB = [1, 5, 5, 5, 20, 20, 46, 100];

const elapsed = () => performance.now();
const newRuntime = () => new CodecRuntime(readEngine('.'), elapsed);

const files = readdirSync('codecs').map((name) => readCodec(`codecs/${name}`));

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

function quantiles(values: readonly number[], unit: string, digits = 0): string {
  const sorted = values.toSorted((one, other) => one - other);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => at(sorted, share).toFixed(digits));
  return `p50 ${p50} ${unit}  p95 ${p95} ${unit}  p99 ${p99} ${unit}`;
}

/** In a process of its own, as of Lambda's: nothing is compiled yet. */
function coldStart(): void {
  const startedAt = elapsed();
  const cpu = process.cpuUsage();
  const runtime = newRuntime();
  const readyAt = elapsed();
  const { user, system } = process.cpuUsage(cpu);
  const codec = runtime.load(readFileSync('codecs/elsys-ers/codec.js', 'utf8'));
  runtime.run(codec, 'decodeUplink', { bytes: [1, 0, 226], fPort: 5, recvTime: 0 }, 0);
  process.stdout.write(
    JSON.stringify([readyAt - startedAt, elapsed() - readyAt, (user + system) / 1000]),
  );
}

function coldStarts(): void {
  const runs = Array.from({ length: COLD_STARTS }, () => {
    const { stdout } = spawnSync(process.execPath, [import.meta.filename, 'cold'], {
      encoding: 'utf8',
    });
    return JSON.parse(stdout) as [number, number, number];
  });
  console.log(
    `cold start of the runtime    ${quantiles(
      runs.map(([ready]) => ready),
      'ms',
    )}`,
  );
  console.log(
    `  of which CPU               ${quantiles(
      runs.map(([, , cpu]) => cpu),
      'ms',
    )}`,
  );
  console.log(
    `then first load and message  ${quantiles(
      runs.map(([, first]) => first),
      'ms',
      1,
    )}`,
  );
}

/** Messages of all codecs in turn, as a fleet sends them: no message finds the codec of the one before it. */
function messages(runtime: CodecRuntime): void {
  const sandboxed: number[] = [];
  const plain: number[] = [];
  const work = files.flatMap(({ source, vectors }) => {
    const codec = runtime.load(source);
    const call = nativeOf(source);
    return vectors
      .filter(({ task }) => task === 'decodeUplink')
      .map((vector) => ({ codec, call, vector }));
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { codec, call, vector } of work) {
      const inside = microseconds(() => sandbox(runtime, codec, vector));
      const outside = microseconds(() => call(vector));
      if (round < ROUNDS / 10) continue;
      sandboxed.push(inside);
      plain.push(outside);
    }
  }
  console.log(
    `message in the sandbox       ${quantiles(sandboxed, 'µs')}   (${sandboxed.length} messages)`,
  );
  console.log(`the same function, called    ${quantiles(plain, 'µs', 1)}`);
}

const microseconds = (step: () => unknown): number => {
  const startedAt = elapsed();
  step();
  return (elapsed() - startedAt) * 1000;
};

const sandbox = (runtime: CodecRuntime, codec: Codec, { input }: Vector) =>
  runtime.run(codec, 'decodeUplink', { ...input, recvTime: 0 }, 0).answer;

function nativeOf(source: string): (vector: Vector) => unknown {
  const context = createContext({});
  runInContext(source, context);
  const decode = runInContext('(input) => decodeUplink(input)', context) as (
    input: object,
  ) => unknown;
  return ({ input }) =>
    JSON.stringify(decode({ ...input, bytes: [...(input.bytes ?? [])], recvTime: new Date(0) }));
}

function distinctCodec(index: number): string {
  const { source } = files[index % files.length] ?? { source: '' };
  const kilobytes = TABLE_KB[index % TABLE_KB.length] ?? 1;
  const rows = Array.from(
    { length: kilobytes * 16 },
    (_, row) => `  row${row}: { name: 'value ${index}-${row}', scale: ${row / 10} },`,
  );
  return `${source}\nvar table${index} = {\n${rows.join('\n')}\n};\n`;
}

function memory(runtime: CodecRuntime, count: number): void {
  global.gc?.();
  const before = process.memoryUsage().rss;
  const loads: number[] = [];
  const cpus: number[] = [];
  const codecs = Array.from({ length: count }, (_, index) => {
    const source = distinctCodec(index);
    const startedAt = elapsed();
    const cpu = process.cpuUsage();
    const codec = runtime.load(source);
    loads.push(elapsed() - startedAt);
    const { user, system } = process.cpuUsage(cpu);
    cpus.push((user + system) / 1000);
    return codec;
  });
  global.gc?.();
  const rssMb = (process.memoryUsage().rss - before) / 2 ** 20;
  const heldMb = codecs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / 2 ** 20;
  console.log(
    `${String(count).padStart(5)} codecs held            ${heldMb.toFixed(0)} MB of images, ${rssMb.toFixed(0)} MB more resident`,
  );
  console.log(`      loading each           ${quantiles(loads, 'ms', 1)}`);
  console.log(`        of which CPU         ${quantiles(cpus, 'ms', 1)}`);
  for (const codec of codecs)
    runtime.run(codec, 'decodeUplink', { bytes: [1, 2], fPort: 2, recvTime: 0 }, 0);
}

if (process.argv[2] === 'cold') coldStart();
else {
  console.log(`Node ${process.version}, ${process.arch}`);
  coldStarts();
  const runtime = newRuntime();
  messages(runtime);
  memory(runtime, 100);
  memory(runtime, 1_000);
}
