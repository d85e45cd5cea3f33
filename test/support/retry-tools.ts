/** Retry tools that wait for nobody, and tell how long they were asked to wait. */
export function patientTools(random: () => number = () => 0.5) {
  const sleptMs: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    sleptMs.push(ms);
  };
  return { sleep, random, sleptMs };
}

export const plentyOfTime = (): number => 60_000;
