import * as z from 'zod';
import type { ConnectionRecord } from '../core/registry/index.ts';

/** Who was connected when, for audits to look back on. */
export interface ConnectionHistory {
  /** Takes the body of a lifecycle event; others than of connections are passed over. */
  readonly note: (event: object) => void;
  /** Connections that lasted until then or began later. */
  readonly since: (ms: number) => readonly ConnectionRecord[];
}

const Event = z.object({
  eventType: z.enum(['connected', 'disconnected']),
  clientId: z.string(),
  sessionIdentifier: z.string(),
  principalIdentifier: z.string(),
  timestamp: z.number(),
  disconnectReason: z.string().optional(),
});

/** AWS's audits look back for 31 days; a laptop that churns forgets sooner. */
const KEPT_MS = 31 * 86_400_000;
const MOST_KEPT = 20_000;

export function createConnectionHistory(): ConnectionHistory {
  const bySession = new Map<string, ConnectionRecord>();
  const forget = (nowMs: number) => {
    for (const [session, { disconnectedMs = nowMs }] of bySession) {
      if (bySession.size <= MOST_KEPT && disconnectedMs > nowMs - KEPT_MS) return;
      bySession.delete(session);
    }
  };
  return {
    note: (event) => {
      const parsed = Event.safeParse(event);
      if (!parsed.success) return;
      const { eventType, clientId, sessionIdentifier, principalIdentifier, timestamp } =
        parsed.data;
      const { disconnectReason } = parsed.data;
      if (eventType === 'connected') {
        const began = { clientId, principal: principalIdentifier, connectedMs: timestamp };
        bySession.set(sessionIdentifier, began);
        forget(timestamp);
        return;
      }
      const before = bySession.get(sessionIdentifier);
      if (before === undefined) return;
      bySession.set(sessionIdentifier, { ...before, disconnectedMs: timestamp, disconnectReason });
    },
    since: (ms) =>
      [...bySession.values()].filter(
        ({ disconnectedMs = Number.POSITIVE_INFINITY }) => disconnectedMs >= ms,
      ),
  };
}
