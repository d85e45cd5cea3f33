import { TtlCache } from '../../core/ttl-cache.ts';
import type { TimeLeft } from '../retry.ts';
import type { DeviceTable, Fleets } from './device-table.ts';

const DEVICES_LIMIT = 50_000;
const TTL_MS = 5 * 60_000;

/**
 * The fleet of a thing, remembered for five minutes by each container: a device that moves to another fleet is told
 * so within that time. Things without a profile are asked for again each time, as they may get one any moment.
 */
export const fleetDirectory = (devices: Pick<DeviceTable, 'fleetsOf'>, now: () => number) => {
  const cache = new TtlCache<string, string>(DEVICES_LIMIT, TTL_MS);
  return {
    async fleetsOf(things: readonly string[], timeLeft: TimeLeft): Promise<Fleets> {
      const nowMs = now();
      const known = new Map<string, string>();
      const unknown: string[] = [];
      for (const thing of new Set(things)) {
        const fleet = cache.get(thing, nowMs);
        if (fleet === undefined) unknown.push(thing);
        else known.set(thing, fleet);
      }
      if (unknown.length === 0) return { known, failures: [] };
      const asked = await devices.fleetsOf(unknown, timeLeft);
      for (const [thing, fleet] of asked.known) {
        cache.set(thing, fleet, nowMs);
        known.set(thing, fleet);
      }
      return { known, failures: asked.failures };
    },
  };
};
