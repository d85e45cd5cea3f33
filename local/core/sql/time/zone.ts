/** Time zones by IANA name or fixed offset, on the zone data of the JavaScript runtime. */

export interface Zone {
  readonly id: string;
  offsetMs(atMs: number): number;
  /** `short`: CET; `long`: Central European Standard Time. Fixed offsets are their own name. */
  name(atMs: number, length: 'short' | 'long'): string;
}

const MINUTE_MS = 60_000;
const OFFSET = /^([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?$/;
const FARTHEST_MS = 18 * 60 * MINUTE_MS;

export const UTC: Zone = {
  id: 'UTC',
  offsetMs: () => 0,
  name: (_at, length) => (length === 'short' ? 'UTC' : 'Coordinated Universal Time'),
};

const regions = new Map<string, Zone>();

/** Understands `Europe/Paris`, `UTC`, `GMT`, `Z`, `+01:00` and `UTC+01:00`; undefined for all else. */
export function zoneOf(id: string): Zone | undefined {
  if (/^(?:UTC|UT|GMT|Z)$/.test(id)) return UTC;
  const offset = offsetOf(id.replace(/^(?:UTC|UT|GMT)/, ''));
  if (offset !== undefined) return fixedZone(id, offset);
  // only letters may begin a region: the runtime takes other spellings of offsets, which Java does not
  return /^[A-Za-z]/.test(id) ? regionOf(id) : undefined;
}

/** `+hh`, `+hh:mm`, `+hhmm` and the same with seconds, in milliseconds; at most 18 hours. */
export function offsetOf(text: string): number | undefined {
  const match = OFFSET.exec(text);
  if (match === null) return undefined;
  const [, sign, hours, minutes = 0, seconds = 0] = match;
  if (Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const size = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1_000;
  if (size > FARTHEST_MS) return undefined;
  return sign === '-' ? 0 - size : size;
}

/** `+01:00`, or `+0100` without the colon. */
export function offsetText(offsetMs: number, colon = ':'): string {
  const minutes = Math.round(Math.abs(offsetMs) / MINUTE_MS);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60];
  const digits = [hour, minute].map((part) => String(part).padStart(2, '0')).join(colon);
  return `${offsetMs < 0 ? '-' : '+'}${digits}`;
}

/**
 * The instant of a local time. In the hour that is skipped in spring the clock counts as not yet
 * moved, in the hour that repeats in autumn the first pass is meant, as java.time has it.
 */
export function instantOf(localMs: number, zone: Zone): number {
  const before = zone.offsetMs(localMs - 24 * 60 * MINUTE_MS);
  const after = zone.offsetMs(localMs + 24 * 60 * MINUTE_MS);
  const offset = [before, after].find((known) => zone.offsetMs(localMs - known) === known);
  return localMs - (offset ?? before);
}

function fixedZone(id: string, offset: number): Zone {
  return { id, offsetMs: () => offset, name: () => offsetText(offset) };
}

function regionOf(id: string): Zone | undefined {
  const known = regions.get(id);
  if (known !== undefined) return known;
  const format = formatOf('en-US', id, 'longOffset');
  if (format === undefined) return undefined;
  const zone: Zone = {
    id,
    offsetMs: (at) => offsetOf(zonePart(format, at).replace('GMT', '')) ?? 0,
    name: (at, length) => regionName(id, at, length) ?? offsetText(zone.offsetMs(at)),
  };
  regions.set(id, zone);
  return zone;
}

/** Each English locale abbreviates only the zones near it: en-US says GMT+1 where en-GB says CET. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA'];

function regionName(id: string, at: number, length: 'short' | 'long'): string | undefined {
  return LOCALES.map((locale) => zonePart(formatOf(locale, id, length), at)).find(
    (name) => name !== '' && !/^GMT[+-]/.test(name),
  );
}

function formatOf(
  locale: string,
  timeZone: string,
  timeZoneName: 'short' | 'long' | 'longOffset',
): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat(locale, { timeZone, timeZoneName });
  } catch {
    return undefined;
  }
}

function zonePart(format: Intl.DateTimeFormat | undefined, at: number): string {
  const parts = format?.formatToParts(at) ?? [];
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}
