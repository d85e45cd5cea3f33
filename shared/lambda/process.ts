/** What a handler takes from its process; functions and adapters are handed it, and tests hand them their own. */
export const now = (): number => Date.now();

/** Milliseconds that only go forward, for deadlines. */
export const elapsedMs = (): number => performance.now();

export const uuid = (): string => crypto.randomUUID();

export const random = (): number => Math.random();

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Where the function's package lies; without Lambda, the working copy. */
export const packageRoot: string = process.env['LAMBDA_TASK_ROOT'] ?? process.cwd();

export const environment: Readonly<Record<string, string | undefined>> = process.env;

/** Not `console`: Lambda would put a header of its own before the line, and it would be no JSON. */
export const writeLine = (line: string): void => {
  process.stdout.write(line);
};
