const UNITS = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** Milliseconds of a length of time as a person writes it: `90s`, `5m`, `8h`, `7d`; undefined for anything else. */
export function lengthMs(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS.get(unit);
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}
