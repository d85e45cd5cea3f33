import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';

/** Events of one store in one file, a line of JSON each, oldest first. */
export interface EventLog<Event> {
  /** Returns once the operating system has the line: it survives the process, not the machine. */
  append(event: Event): void;
  /** Puts `events` in the place of all there were, in one step. */
  rewrite(events: readonly Event[]): void;
  close(): void;
}

const NEWLINE = 0x0a;

/**
 * Opens the log at `path`, made where there is none, and hands back what it holds. A last line that a crash cut
 * short is dropped.
 *
 * @throws {Error} naming file and line, where a whole line is not an event
 */
export function openEventLog<Event>(
  path: string,
  parse: (value: unknown) => Event,
): { readonly log: EventLog<Event>; readonly events: Event[] } {
  const stored = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const whole = stored.subarray(0, stored.lastIndexOf(NEWLINE) + 1);
  const events = linesOf(whole).map((line, index) => parseLine(line, parse, path, index + 1));
  return { log: appender(path, whole.length), events };
}

const linesOf = (bytes: Buffer): string[] =>
  bytes.length === 0 ? [] : bytes.toString('utf8').slice(0, -1).split('\n');

function parseLine<Event>(
  line: string,
  parse: (value: unknown) => Event,
  path: string,
  number: number,
): Event {
  try {
    return parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(
      `${path}, line ${number}, is no event of this store: mend the line or remove the file`,
      { cause },
    );
  }
}

function appender<Event>(path: string, wholeBytes: number): EventLog<Event> {
  let size = wholeBytes;
  let file = openSync(path, 'a', 0o600);
  ftruncateSync(file, size);

  return {
    append(event) {
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      try {
        writeAll(file, line);
      } catch (error) {
        ftruncateSync(file, size); // half a line must not come to stand before the next one
        throw error;
      }
      size += line.length;
    },

    rewrite(events) {
      const fresh = `${path}.new`;
      const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      const next = openSync(fresh, 'w', 0o600);
      writeAll(next, bytes);
      fsyncSync(next);
      closeSync(next);
      renameSync(fresh, path);
      closeSync(file);
      file = openSync(path, 'a', 0o600);
      size = bytes.length;
    },

    close: () => closeSync(file),
  };
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written);
  }
}
