/** Bounds of one evaluation. A payload is at most 128 KB; the other figures keep the work bounded too. */

/** The guide's bound for SET variables and for the result of transform(). */
export const DOCUMENTED_SIZE = 128 * 1024;
/** Longest text that joining and replacing may make of a payload; beyond it the result is Undefined. */
export const LONGEST_TEXT = 1024 * 1024;
/** Elements that all nested SELECTs of one evaluation visit; those beyond are left out. */
export const MOST_ELEMENTS = 250_000;
/** Longest regular expression; the time of a match grows with pattern times text. */
export const LONGEST_PATTERN = 1_000;

/** The text, unless it is too long to be a value. */
export const boundedText = (text: string): string | undefined =>
  text.length <= LONGEST_TEXT ? text : undefined;
