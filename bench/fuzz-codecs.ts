import { readdirSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { readCodec } from '../commands/codec-files.ts';
import { tryCodec } from '../commands/codec-vectors.ts';
import { CodecRuntime } from '../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../shared/codec-runtime/engine-file.ts';
import { measurementOf } from '../shared/core/lorawan/measurements.ts';
import { randomPayloads } from '../test/support/random-payloads.ts';

/*
 * Our own codecs, each with a million random payloads: every one has to make data of which a reading can be made, or
 * errors; one in a thousand goes through the sandbox too, and has to come out the same.
 */

const PAYLOADS = Number(process.argv[2] ?? 1_000_000);
const SANDBOXED = 1_000;
/** So many milliseconds for one payload, outside the sandbox, are a stall. */
const STALL_MS = 250;

const runtime = new CodecRuntime(readEngine('.'), () => performance.now());
let failures = 0;

function fuzz(name: string): void {
  const { source, vectors } = readCodec(`codecs/${name}`);
  const tried = tryCodec(runtime, source);
  const context = createContext({});
  runInContext(source, context);
  const decode = runInContext(
    '(bytes, fPort) => JSON.stringify(decodeUplink({ bytes: Array.from(bytes), fPort, recvTime: new Date(0) }))',
    context,
  ) as (bytes: readonly number[], fPort: number) => string;
  const ports = vectors.map(({ input }) => input.fPort ?? 1);
  const startedAt = performance.now();
  let [round, data, slowestMs] = [0, 0, 0];
  for (const bytes of randomPayloads(vectors, PAYLOADS, name.length)) {
    round += 1;
    const fPort = ports[round % ports.length] ?? 1;
    const since = performance.now();
    try {
      const text = decode(bytes, fPort);
      const answer = JSON.parse(text) as { data?: unknown; errors?: unknown };
      if (answer.data !== undefined) measurementOf(answer.data);
      if (answer.data !== undefined) data += 1;
      else if (answer.errors === undefined) throw new Error('neither data nor errors');
      if (round % SANDBOXED === 0) {
        const inside = JSON.stringify(tried.ask('decodeUplink', { bytes, fPort, recvTime: 0 }));
        if (inside !== text) throw new Error(`differs in the sandbox: ${inside} and ${text}`);
      }
    } catch (error) {
      failures += 1;
      console.error(
        `${name} FPort ${fPort} ${Buffer.from(bytes).toString('hex')}: ${String(error)}`,
      );
    }
    slowestMs = Math.max(slowestMs, performance.now() - since);
  }
  if (slowestMs > STALL_MS) failures += 1;
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${name.padEnd(26)} ${round} payloads, ${((100 * data) / round).toFixed(1)} % data, slowest ${slowestMs.toFixed(1)} ms, ${seconds.toFixed(1)} s`,
  );
}

for (const name of readdirSync('codecs')) fuzz(name);
console.log(failures === 0 ? 'No failure.' : `${failures} failures.`);
process.exitCode = failures === 0 ? 0 : 1;
