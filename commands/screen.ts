import { styleText } from 'node:util';
import type { LogEntry } from '../local/core/log.ts';
import type { Terminal } from './command.ts';
import { printable } from './printable.ts';
import { fitted, statusLine, type Tally } from './status-line.ts';
import { wrapped } from './wrapped.ts';

/** One status line at the foot that is refreshed in place, and text above it that scrolls. */
export interface Screen {
  readonly say: (text: string) => void;
  /** A paragraph beside a word that says what it is about. */
  readonly tell: (news: News) => void;
  /** What went wrong goes above the status line; what is merely happening is not shown. */
  readonly log: (entry: LogEntry) => void;
  readonly status: (tally: Tally) => void;
}

/** Something that has happened: a word that catches the eye, and what there is to say, a line or more. */
export interface News {
  readonly label: keyof typeof COLOURS;
  readonly lines: readonly string[];
}

const ERASE_LINE = '\r\u001b[2K';
/** Where the output is no terminal, a line at most so often, and only when it changed. */
const PLAIN_INTERVAL_MS = 5000;

export function openScreen(terminal: Terminal, now: () => number = Date.now): Screen {
  return terminal.columns === undefined
    ? plainScreen(terminal, now)
    : liveScreen(terminal, terminal.columns);
}

function liveScreen(terminal: Terminal, columns: number): Screen {
  let foot = '';
  const say = (text: string) => terminal.out(`${ERASE_LINE}${text}\n${foot}`);
  const tell = ({ label, lines }: News) => {
    const text = paragraph(lines, columns - 1);
    say(`${styleText(COLOURS[label], label.padEnd(LABEL_COLUMNS))}${text}`);
  };
  return {
    say,
    tell,
    log: (entry) => {
      if (isWorthSaying(entry)) tell(newsOf(entry));
    },
    status: (tally) => {
      foot = fitted(statusLine(tally), columns);
      terminal.out(`${ERASE_LINE}${foot}`);
    },
  };
}

function plainScreen(terminal: Terminal, now: () => number): Screen {
  let last = { line: '', atMs: Number.NEGATIVE_INFINITY };
  const tell = ({ label, lines }: News) =>
    terminal.out(`${label.padEnd(LABEL_COLUMNS)}${paragraph(lines, Number.POSITIVE_INFINITY)}\n`);
  return {
    say: (text) => terminal.out(`${text}\n`),
    tell,
    log: (entry) => {
      if (isWorthSaying(entry)) tell(newsOf(entry));
    },
    status: (tally) => {
      const line = statusLine(tally);
      if (line === last.line || now() - last.atMs < PLAIN_INTERVAL_MS) return;
      last = { line, atMs: now() };
      terminal.out(`${line}\n`);
    },
  };
}

const LABEL_COLUMNS = 9;
const COLOURS = {
  ANOMALY: 'yellow',
  over: 'green',
  fault: 'dim',
  note: 'cyan',
  ERROR: 'red',
} as const;

/** Lines broken between words so that they fit beside the label. */
export function paragraph(lines: readonly string[], columns: number): string {
  const width = columns - LABEL_COLUMNS;
  return lines
    .flatMap((line) => wrapped(printable(line), width))
    .join(`\n${' '.repeat(LABEL_COLUMNS)}`);
}

const isWorthSaying = ({ level }: LogEntry): boolean => level === 'warn' || level === 'error';

/** Who was refused; the rest of the facts is in the reason, and in the book of refusals. */
const WHO = ['clientId', 'protocol', 'sourceIp'];

/** What happened and its facts; of a refusal its reason and what would mend it, each on a line of its own. */
function newsOf({ level, source, message, explanation, fix, ...details }: LogEntry): News {
  const facts = Object.entries(details)
    .filter(([name]) => explanation === undefined || WHO.includes(name))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const lines = [
    [`${source}: ${message}`, ...facts].join('  '),
    ...(explanation === undefined || explanation === message ? [] : [String(explanation)]),
    ...(fix === undefined ? [] : [`To allow it: ${fix}`]),
  ];
  return { label: level === 'error' ? 'ERROR' : 'note', lines };
}
