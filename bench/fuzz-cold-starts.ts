import { coldStarts } from '../test/support/cold-starts.ts';

/*
 * Ten thousand cold starts of the codec runtime, each followed at once by the first messages of a codec of ours under
 * the ordinary budgets: none may be ended for want of steps, time or memory. One in twenty compiles the engine anew.
 */

const STARTS = Number(process.argv[2] ?? 10_000);
const SEED = Number(process.argv[3] ?? 4);
const EVERY = 1_000;

const tookMs: { readonly unseen: number[]; readonly seen: number[] } = { unseen: [], seen: [] };
let killed = 0;
let started = 0;
for (const { isUnseen, tookMs: ms, problem } of coldStarts(STARTS, SEED)) {
  started += 1;
  (isUnseen ? tookMs.unseen : tookMs.seen).push(ms);
  if (problem !== undefined) {
    killed += 1;
    console.error(`start ${started}: ${problem}`);
  }
  if (started % EVERY === 0) console.log(`${started} starts, ${killed} false kills`);
}

for (const [what, times] of Object.entries(tookMs)) {
  const sorted = times.toSorted((one, other) => one - other);
  const [p50, p95, most] = [0.5, 0.95, 1].map((share) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0),
  );
  console.log(
    `engine ${what.padEnd(6)} ${sorted.length} starts with a codec's vectors: p50 ${p50} ms, p95 ${p95} ms, at most ${most} ms`,
  );
}
console.log(`${started} cold starts, ${killed} false kills (seed ${SEED}).`);
process.exitCode = killed === 0 ? 0 : 1;
