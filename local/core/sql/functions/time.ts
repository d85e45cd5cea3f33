import { toIndex, toText } from '../convert.ts';
import { formatTime } from '../time/format-time.ts';
import { parseTime, unsupportedTimeLetter } from '../time/parse-time.ts';
import { UTC, zoneOf } from '../time/zone.ts';
import type { SqlValue } from '../values.ts';
import { context, type FunctionTable, literalText, plain, special } from './function.ts';

function formatted(pattern: SqlValue, timestamp: SqlValue, ...zones: SqlValue[]): SqlValue {
  const text = toText(pattern);
  const atMs = toIndex(timestamp);
  const zone = zones.length === 0 ? UTC : zoneOf(toText(zones[0]) ?? '');
  if (text === undefined || atMs === undefined || zone === undefined) return undefined;
  return formatTime(text, atMs, zone);
}

export const TIME: FunctionTable = {
  /** Joda-Time's patterns, unlike time_to_epoch. */
  parse_time: plain(2, 3, formatted),
  /** java.time's patterns, unlike parse_time. */
  time_to_epoch: special(2, 2, (call, tools) => {
    const [text, pattern] = call.args;
    if (text === undefined || pattern === undefined) return () => undefined;
    const letter = unsupportedTimeLetter(literalText(pattern) ?? '');
    if (letter !== undefined) {
      tools.unsupported(
        pattern,
        `the pattern letter ${letter} of time_to_epoch`,
        'not implemented',
      );
    }
    const textOf = tools.compile(text);
    const patternOf = tools.compile(pattern);
    return (scope) => {
      const value = toText(textOf(scope));
      const format = toText(patternOf(scope));
      return value === undefined || format === undefined ? undefined : parseTime(value, format);
    };
  }),
  timestamp: context(0, 0, ({ evaluation }) => evaluation.env.nowMs),
};
