/** One way to do the work of a round; `prepare` is not counted. */
export interface Contestant {
  readonly name: string;
  run(round: number): Promise<void>;
}

/**
 * CPU time of each contestant, taken in turns, so that a busy phase of the machine falls on all of them.
 *
 * @returns for each name the microseconds of CPU of every counted round
 */
export async function interleave(
  contestants: readonly Contestant[],
  { warmUps, rounds }: { readonly warmUps: number; readonly rounds: number },
): Promise<ReadonlyMap<string, readonly number[]>> {
  const taken = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const { name, run } of contestants) {
      const before = process.cpuUsage();
      await run(Math.abs(round));
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) taken.get(name)?.push(user + system);
    }
  }
  return taken;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = low] = sorted.slice(
    sorted.length % 2 === 0 ? middle - 1 : middle,
  );
  return sorted.length % 2 === 0 ? (low + high) / 2 : low;
};
