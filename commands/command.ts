/** What a command says and how it ends; a test passes arrays, the terminal passes its streams. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the screen; undefined where the output is no terminal. */
  readonly columns?: number;
}

export const OK = 0;
/** The command understood and could not do it: nothing runs, not found, refused. */
export const FAILED = 1;
/** The command was called wrongly. */
export const MISUSED = 2;
export type ExitCode = typeof OK | typeof FAILED | typeof MISUSED;

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The lines of `--help` below the summary. */
  readonly usage: string;
  /** @throws {UsageError} for wrong words, {FailedError} for what could not be done */
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<ExitCode | undefined>;
}

/** Wrong words on the command line; the message says which and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @param word  what stands where one of these verbs should; empty when nothing does */
export const wrongVerb = (word: string, verbs: readonly string[]): UsageError =>
  new UsageError(
    word === ''
      ? `What is to be done: ${verbs.join(', ')}?`
      : `There is no '${word}'; there are ${verbs.join(', ')}.`,
  );

/** Something the person at the keyboard can mend; its message is all they need to see. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}
