/** Counts within the running second. */
export interface RateWindow {
  second: number;
  count: number;
}

export const createRateWindow = (): RateWindow => ({ second: -1, count: 0 });

/** Counts one, and @returns whether it is still within the limit of this second. */
export function withinRate(window: RateWindow, limit: number, nowMs: number): boolean {
  const second = Math.floor(nowMs / 1000);
  if (window.second !== second) {
    window.second = second;
    window.count = 0;
  }
  window.count += 1;
  return window.count <= limit;
}
