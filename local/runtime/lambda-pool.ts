import type { Sandbox } from './lambda-sandbox.ts';

/** The execution environments of one function: at most `limit` at work, the one used last taken first. */
export interface Pool {
  /** @returns nothing when `limit` are at work already */
  readonly run: <T>(work: (sandbox: Sandbox) => Promise<T>) => Promise<T> | undefined;
  readonly close: () => Promise<void>;
}

export function createPool(limit: number, start: () => Sandbox): Pool {
  const all = new Set<Sandbox>();
  const idle: Sandbox[] = [];
  let busy = 0;

  const take = (): Sandbox => {
    for (let sandbox = idle.pop(); sandbox; sandbox = idle.pop()) {
      if (sandbox.isAlive()) return sandbox;
      all.delete(sandbox);
    }
    const fresh = start();
    all.add(fresh);
    return fresh;
  };

  const giveBack = (sandbox: Sandbox): void => {
    if (sandbox.isAlive()) idle.push(sandbox);
    else all.delete(sandbox);
  };

  const use = async <T>(work: (sandbox: Sandbox) => Promise<T>): Promise<T> => {
    busy += 1;
    try {
      const sandbox = take();
      try {
        return await work(sandbox);
      } finally {
        giveBack(sandbox);
      }
    } finally {
      busy -= 1;
    }
  };

  return {
    run: (work) => (busy < limit ? use(work) : undefined),
    async close() {
      await Promise.all([...all].map((sandbox) => sandbox.close()));
    },
  };
}
