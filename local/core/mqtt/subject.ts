import type { Connection } from './connection.ts';
import type { Subject } from './refusal.ts';

/** Whom a log entry about this connection names. */
export function subjectOf({ peer, client }: Connection): Subject {
  return {
    protocol: peer.protocol,
    principal: peer.principal,
    sourceIp: peer.sourceIp,
    ...(client !== undefined && { clientId: client.id }),
  };
}
