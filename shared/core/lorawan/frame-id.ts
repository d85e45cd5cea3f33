import type { Uplink } from './uplink.ts';

/**
 * What a frame is told by, wherever and however often it arrives: session, counter and MIC. Without a counter, the time
 * at which the network heard it, and its payload.
 *
 * @returns nothing where neither is known: then each delivery is a frame of its own
 */
export function frameId({
  devAddr = '',
  fCnt,
  mic = '',
  heardAtMs,
  payload,
}: Uplink): string | undefined {
  if (fCnt !== undefined && devAddr + mic !== '') return `lorawan ${devAddr} ${fCnt} ${mic}`;
  if (heardAtMs === undefined) return undefined;
  return `lorawan ${heardAtMs} ${fCnt ?? ''} ${payload.toString('base64')}`;
}
