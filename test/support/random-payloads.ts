import type { Vector } from '../../commands/codec-vectors.ts';
import { seeded } from '../../local/fleet/random.ts';

const LONGEST = 51;

/** Payloads at random: half of them noise, half what vectors hold, cut off, run together or changed in places. */
export function* randomPayloads(
  vectors: readonly Vector[],
  count: number,
  seed: number,
): Generator<number[]> {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const noise = (length: number): number[] => Array.from({ length }, () => below(256));
  const known = vectors.map(({ input }) => [...(input.bytes ?? [])]);
  for (let round = 0; round < count; round += 1) {
    const bytes = round % 2 === 0 ? [] : [...(known[below(known.length)] ?? [])];
    if (bytes.length === 0) yield noise(below(LONGEST));
    else {
      for (let changes = below(3); changes > 0; changes -= 1) {
        bytes[below(bytes.length)] = below(256);
      }
      const cut = random() < 0.3 ? bytes.slice(0, below(bytes.length)) : bytes;
      yield random() < 0.2 ? [...cut, ...(known[below(known.length)] ?? [])] : cut;
    }
  }
}
