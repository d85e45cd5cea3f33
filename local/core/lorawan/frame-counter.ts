/** Where a frame stands to those that were seen of its session. */
export type CounterVerdict =
  | { readonly kind: 'next'; readonly fCnt: number }
  /** The counter of the last frame once more: sent again because its acknowledgement was lost. */
  | { readonly kind: 'repeated'; readonly fCnt: number }
  | { readonly kind: 'refused' };

/** A frame may be this far ahead of the last one. @see LoRaWAN 1.0.3 regional parameters, MAX_FCNT_GAP */
const MAX_FCNT_GAP = 16_384;
const LOW_BITS = 0x1_0000;
const MOST = 0xffff_ffff;

/**
 * The whole counters that the 16 bits in a frame can stand for, the likeliest first: same upper half as the last,
 * or one more.
 *
 * @param last  of the last frame that was accepted; undefined before the first
 */
export function candidateCounters(last: number | undefined, fCnt16: number): number[] {
  if (last === undefined) return [fCnt16];
  const same = last - (last % LOW_BITS) + fCnt16;
  const next = same + LOW_BITS;
  return (same >= last ? [same] : [next, same]).filter((fCnt) => fCnt <= MOST);
}

/** Judges a whole counter whose MIC was right. */
export function judgeCounter(last: number | undefined, fCnt: number): CounterVerdict {
  if (last !== undefined && fCnt === last) return { kind: 'repeated', fCnt };
  const ahead = fCnt - (last ?? -1);
  return ahead > 0 && ahead <= MAX_FCNT_GAP ? { kind: 'next', fCnt } : { kind: 'refused' };
}
