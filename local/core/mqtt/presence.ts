const FORGOTTEN_AFTER_MS = 3_600_000;
const SWEEP_ABOVE = 10_000;

interface Presence {
  readonly version: number;
  readonly connectedAtMs: number;
  offlineSinceMs: number | undefined;
}

export interface PresenceVersions {
  /** @returns the `versionNumber` for this connection's pair of lifecycle events */
  connected(clientId: string, nowMs: number): number;
  disconnected(clientId: string, version: number, nowMs: number): void;
  /** Milliseconds since the last connection of this client id began; infinite where none is remembered. */
  sinceConnectMs(clientId: string, nowMs: number): number;
}

/** Counts the connections of each client id; the count starts anew after about an hour offline. */
export function createPresenceVersions(): PresenceVersions {
  const clients = new Map<string, Presence>();
  const forgotten = ({ offlineSinceMs }: Presence, nowMs: number): boolean =>
    offlineSinceMs !== undefined && nowMs - offlineSinceMs >= FORGOTTEN_AFTER_MS;

  const sweep = (nowMs: number): void => {
    if (clients.size < SWEEP_ABOVE) return;
    for (const [id, presence] of clients) if (forgotten(presence, nowMs)) clients.delete(id);
  };

  return {
    connected(clientId, nowMs) {
      sweep(nowMs);
      const before = clients.get(clientId);
      const version = before === undefined || forgotten(before, nowMs) ? 0 : before.version + 1;
      clients.set(clientId, { version, connectedAtMs: nowMs, offlineSinceMs: undefined });
      return version;
    },
    disconnected(clientId, version, nowMs) {
      const presence = clients.get(clientId);
      if (presence?.version === version) presence.offlineSinceMs = nowMs;
    },
    sinceConnectMs: (clientId, nowMs) =>
      nowMs - (clients.get(clientId)?.connectedAtMs ?? Number.NEGATIVE_INFINITY),
  };
}
