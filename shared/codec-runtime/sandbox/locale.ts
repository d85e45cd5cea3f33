/**
 * `toLocaleString` and its kin as in American English, and in UTC unless a zone is named, which is refused: QuickJS
 * knows no locale, and codecs were written where this one was the default. Stands alone: see `runner.ts`.
 */
export function installLocale(): void {
  interface NumberOptions {
    minimumFractionDigits?: number;
    maximumFractionDigits?: number;
    useGrouping?: boolean;
  }
  interface DateOptions {
    timeZone?: string;
    hour12?: boolean;
    [name: string]: unknown;
  }

  const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

  const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',');

  /** Half up, on the decimal digits that the number is written with. */
  const rounded = (value: number, places: number): string => {
    const [whole = '0', fraction = ''] = String(value).split('.');
    if (fraction.length <= places || fraction.includes('e')) return value.toFixed(places);
    const up = fraction.charAt(places) >= '5' ? 1n : 0n;
    const digits = String(BigInt(whole + fraction.slice(0, places)) + up).padStart(places + 1, '0');
    return `${digits.slice(0, digits.length - places)}.${digits.slice(digits.length - places)}`;
  };

  const numberText = (value: number, options: NumberOptions = {}): string => {
    if (Number.isNaN(value)) return 'NaN';
    const sign = value < 0 || Object.is(value, -0) ? '-' : '';
    if (!Number.isFinite(value)) return `${sign}∞`;
    const least = options.minimumFractionDigits ?? 0;
    const most = options.maximumFractionDigits ?? Math.max(least, 3);
    const [whole = '0', fraction = ''] = rounded(Math.abs(value), most).split('.');
    let kept = fraction.padEnd(least, '0');
    while (kept.length > least && kept.endsWith('0')) kept = kept.slice(0, -1);
    const text = options.useGrouping === false ? whole : grouped(whole);
    return kept === '' ? `${sign}${text}` : `${sign}${text}.${kept}`;
  };

  const checkZone = (options: DateOptions | undefined): void => {
    const zone = options?.timeZone;
    if (zone !== undefined && !/^(utc|gmt|etc\/(utc|gmt))$/i.test(zone)) {
      throw new RangeError(`Invalid time zone specified: ${zone} (codecs know UTC only)`);
    }
  };

  const dateText = (date: Date): string =>
    `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;

  const timeText = (date: Date, options: DateOptions | undefined): string => {
    const hour = date.getUTCHours();
    const rest = `${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
    if (options?.hour12 === false) return `${two(hour)}:${rest}`;
    return `${hour % 12 === 0 ? 12 : hour % 12}:${rest} ${hour < 12 ? 'AM' : 'PM'}`;
  };

  const dateMethod = (format: (date: Date, options: DateOptions | undefined) => string) =>
    function (this: Date, _locales?: unknown, options?: DateOptions): string {
      checkZone(options);
      return Number.isNaN(this.getTime()) ? 'Invalid Date' : format(this, options);
    };

  const define = (prototype: object, name: string, value: unknown): void => {
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  };
  define(
    Number.prototype,
    'toLocaleString',
    function (this: number, _locales?: unknown, options?: NumberOptions): string {
      return numberText(Number(this), options);
    },
  );
  define(Date.prototype, 'toLocaleDateString', dateMethod(dateText));
  define(Date.prototype, 'toLocaleTimeString', dateMethod(timeText));
  define(
    Date.prototype,
    'toLocaleString',
    dateMethod((date, options) => `${dateText(date)}, ${timeText(date, options)}`),
  );
}
