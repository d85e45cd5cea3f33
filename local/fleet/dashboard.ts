import { connectAsync } from 'mqtt';
import { presignedUrl, type TemporaryKeys } from './presigned-url.ts';

export interface DashboardOptions {
  /** `localhost:9443` */
  readonly host: string;
  readonly region: string;
  readonly keys: TemporaryKeys;
  readonly clientId: string;
  /** What it trusts the gateway by. */
  readonly caPem: string;
  readonly filter: string;
  readonly now: () => number;
  readonly onMessage: (topic: string, payload: Buffer) => void;
}

/**
 * Watches a topic as a page in a browser does: MQTT over WebSocket, signed with temporary keys, anew at each reconnect.
 *
 * @throws {Error} when it may not connect, or not subscribe
 */
export async function openDashboard({
  host,
  region,
  keys,
  clientId,
  caPem,
  filter,
  now,
  onMessage,
}: DashboardOptions): Promise<{ stop: () => Promise<void> }> {
  const client = await connectAsync(
    `wss://${host}/mqtt`,
    {
      clientId,
      protocolVersion: 5,
      ca: caPem,
      transformWsUrl: () => presignedUrl(host, region, keys, now()),
    },
    false,
  );
  client.on('error', () => undefined); // it reconnects by itself
  client.on('message', onMessage);
  try {
    await client.subscribeAsync(filter, { qos: 1 });
  } catch (error) {
    await client.endAsync(true);
    throw error;
  }
  return { stop: () => client.endAsync(true) };
}
