import type { Anomaly, Report } from './anomaly.ts';
import { close, open } from './incident.ts';

/** Whence a device speaks: transport and source address, as text; a move from one to the other is nothing. */
export interface Connections {
  readonly now: string;
  readonly nowMs: number;
  readonly other: string;
  readonly otherMs: number;
  /** Changes between these two lately. */
  readonly changes: number;
}

export const NO_CONNECTIONS: Connections = { now: '', nowMs: 0, other: '', otherMs: 0, changes: 0 };

/** To and fro so often within `WINDOW_MS` each, a device is in two places. */
const CHANGES = 4;
const WINDOW_MS = 15 * 60_000;

export const connectionOf = (transport: string, sourceIp: string | undefined): string =>
  sourceIp === undefined ? transport : `${transport} ${sourceIp}`;

export function connect(
  known: Connections,
  connection: string,
  atMs: number,
  before: Anomaly | undefined,
): { connections: Connections; report: Report | undefined } {
  if (connection === known.now) {
    const connections = { ...known, nowMs: Math.max(known.nowMs, atMs) };
    const alone = before !== undefined && atMs - known.otherMs > WINDOW_MS;
    const report: Report | undefined = alone
      ? { change: 'closes', anomaly: close(before, atMs) }
      : undefined;
    return { connections: alone ? { ...connections, changes: 0 } : connections, report };
  }
  const back = connection === known.other && atMs - known.otherMs <= WINDOW_MS;
  const changes = back ? known.changes + 1 : 1;
  const connections = {
    now: connection,
    nowMs: atMs,
    other: known.now,
    otherMs: known.nowMs,
    changes,
  };
  if (changes < CHANGES || before !== undefined) return { connections, report: undefined };
  const anomaly = open(
    { atMs, value: changes },
    {
      finder: 'connections',
      kind: 'two connections',
      direction: 'none',
      detail: `${connection} and ${known.now}`,
    },
  );
  return { connections, report: { change: 'opens', anomaly } };
}
