import type { Rhythm } from './rhythm.ts';
import type { View } from './track.ts';

/** What one value says, before it is decided what to call it. */
export interface Evidence {
  /** 0 to 1; at `ALARM_SCORE` and above there is something new. */
  score: number;
  /** The view that says most, of the noise only if no other speaks; none when the value is inside of all ranges. */
  view: View | undefined;
  /** Expected by the strongest view, and the range so far in the metric's own unit. */
  expected: number;
  low: number;
  high: number;
  /** Whether the value is above (1) or below (-1) what was expected. */
  direction: 1 | -1;
  /** The centre and the spread before this value, and its distance in such spreads. */
  level: number;
  spread: number;
  deviations: number;
  /** Weights of the views, in their order; their sum. */
  readonly weights: Float64Array;
  total: number;
  /** What is known of the metric's hours now: the same as before unless an hour ended. */
  rhythm: Rhythm | undefined;
}

export const noEvidence = (views: number): Evidence => ({
  score: 0,
  view: undefined,
  expected: 0,
  low: 0,
  high: 0,
  direction: 1,
  level: 0,
  spread: 0,
  deviations: 0,
  weights: new Float64Array(views),
  total: 0,
  rhythm: undefined,
});
