/** Where in a statement something stands; both count from 1. */
export interface SqlPosition {
  readonly line: number;
  readonly column: number;
}

/** Turns an offset into a line and column, counting a surrogate pair as one character. */
export function positionOf(source: string, offset: number): SqlPosition {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return { line, column: [...before.slice(lineStart)].length + 1 };
}

/** A statement or template that is not AWS IoT SQL; names the place, what was expected and what stood there. */
export class SqlSyntaxError extends Error {
  override readonly name = 'SqlSyntaxError';
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  readonly found: string;

  constructor(
    at: SqlPosition,
    problem: { readonly expected: string; readonly found: string; readonly hint?: string },
  ) {
    const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
    super(
      `line ${at.line}, column ${at.column}: expected ${problem.expected}, found ${problem.found}${hint}`,
    );
    this.line = at.line;
    this.column = at.column;
    this.expected = problem.expected;
    this.found = problem.found;
  }
}

/** AWS IoT SQL that is right, but that this engine, as it was set up, cannot run; `feature` names it. */
export class UnsupportedSqlError extends Error {
  override readonly name = 'UnsupportedSqlError';
  readonly feature: string;
  readonly line: number;
  readonly column: number;

  constructor(at: SqlPosition, feature: string, reason: string) {
    super(`line ${at.line}, column ${at.column}: ${feature} is not supported: ${reason}`);
    this.feature = feature;
    this.line = at.line;
    this.column = at.column;
  }
}

/** A function that calls a service failed; AWS then abandons the rule, so evaluation ends with this. */
export class ExternalCallError extends Error {
  override readonly name = 'ExternalCallError';
  readonly functionName: string;

  constructor(functionName: string, cause: unknown) {
    super(`${functionName} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.functionName = functionName;
  }
}
