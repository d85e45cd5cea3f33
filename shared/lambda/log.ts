export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Fields of an entry: counts, codes and names of fields. Payloads and principals stay out of logs. */
export type Fields = Readonly<Record<string, unknown>>;
export type Log = (level: Level, message: string, fields?: Fields) => void;

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const TEXT_LIMIT_CHARS = 2_048;
/** What JSON leaves as it is, and a terminal or a viewer would obey: DEL, C1 controls, separators, bidirectional marks. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A log of one JSON object a line. No value can break its line, hide it or make it endless.
 *
 * @param write  takes one line with its end
 * @param now    milliseconds since the Unix epoch
 */
export const createLog =
  (least: Level, write: (line: string) => void, now: () => number): Log =>
  (level, message, fields = {}) => {
    if (RANK[level] < RANK[least]) return;
    const entry = { time: new Date(now()).toISOString(), level, message, ...fields };
    write(`${escapeUnsafe(stringify(entry))}\n`);
  };

function stringify(entry: Fields): string {
  try {
    return JSON.stringify(entry, bounded);
  } catch {
    // a cycle, or deeper than the stack: the entry's own texts still tell where to look
    return JSON.stringify({ ...onlyTexts(entry), unloggable: true });
  }
}

function bounded(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' && value.length > TEXT_LIMIT_CHARS) {
    return `${value.slice(0, TEXT_LIMIT_CHARS)}…`;
  }
  if (value instanceof Error)
    return { name: value.name, message: value.message, stack: value.stack };
  return value;
}

const onlyTexts = (entry: Fields): Fields =>
  Object.fromEntries(Object.entries(entry).filter(([, value]) => typeof value === 'string'));

const escapeUnsafe = (line: string): string =>
  line.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
