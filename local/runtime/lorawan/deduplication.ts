import type { Timer } from '../../stores/timer.ts';
import type { Heard, Reception } from './model.ts';

interface Options {
  /** From the first reception until the frame is handed on. */
  readonly windowMs: number;
  /** Frames that may be waiting at once. */
  readonly capacity: number;
  readonly timer: Timer;
  readonly deliver: (heard: Heard) => void;
  readonly refuse: (reception: Reception, why: string) => void;
}

/**
 * Gathers what several gateways heard of one frame: all of it within the window, one reception a gateway,
 * the best first.
 */
export function createDeduplication({ windowMs, capacity, timer, deliver, refuse }: Options) {
  const open = new Map<string, { receptions: Reception[]; cancel: () => void }>();

  const close = (key: string): void => {
    const [first, ...more] = open.get(key)?.receptions.toSorted(betterFirst) ?? [];
    open.delete(key);
    if (first !== undefined) deliver([first, ...more]);
  };

  return {
    receive(reception: Reception): void {
      const key = reception.phyPayload.toString('latin1');
      const gathering = open.get(key);
      if (gathering !== undefined) {
        if (!gathering.receptions.some(({ gatewayEui }) => gatewayEui === reception.gatewayEui))
          gathering.receptions.push(reception);
        return;
      }
      if (open.size >= capacity) {
        refuse(reception, `${capacity} frames are waiting for their other receptions`);
        return;
      }
      open.set(key, { receptions: [reception], cancel: timer(windowMs, () => close(key)) });
    },

    /** Frames that still wait are dropped. */
    stop(): void {
      for (const { cancel } of open.values()) cancel();
      open.clear();
    },
  };
}

const betterFirst = (a: Reception, b: Reception): number => b.snr - a.snr || b.rssi - a.rssi;
