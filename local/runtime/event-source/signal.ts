/** Wakes one waiter; a call that finds nobody waiting is kept for the next who does. */
export interface Signal {
  readonly notify: () => void;
  readonly wait: () => Promise<void>;
}

export function createSignal(): Signal {
  let pending = false;
  let wake: (() => void) | undefined;
  return {
    notify() {
      pending = true;
      wake?.();
    },
    async wait() {
      if (!pending) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      pending = false;
      wake = undefined;
    },
  };
}
