import type { Call, Expression } from '../ast.ts';
import type { Evaluate, Scope } from '../scope.ts';
import type { SqlValue } from '../values.ts';

/** Numbers of arguments a function takes. */
interface Arity {
  readonly least: number;
  readonly most: number;
}

/** Depends on its arguments alone. */
export interface PlainFunction extends Arity {
  readonly kind: 'plain';
  call(...args: SqlValue[]): SqlValue;
}

/** Looks at the message or the environment. */
export interface ContextFunction extends Arity {
  readonly kind: 'context';
  call(scope: Scope, ...args: SqlValue[]): SqlValue;
}

/** Treats its arguments in a way of its own: unevaluated, as literals, or as the raw payload. */
export interface SpecialFunction extends Arity {
  readonly kind: 'special';
  compile(call: Call, tools: CompileTools): Evaluate;
}

export type SqlFunction = PlainFunction | ContextFunction | SpecialFunction;
export type FunctionTable = Readonly<Record<string, SqlFunction>>;

/** What a special function needs of the compiler. */
export interface CompileTools {
  compile(expression: Expression): Evaluate;
  /** @throws {SqlSyntaxError} always */
  refuse(at: Expression, expected: string, hint?: string): never;
  /** @throws {UnsupportedSqlError} always */
  unsupported(at: Expression, feature: string, reason: string): never;
  /** Notes that the rule calls a service here, and numbers the place. */
  external(call: Call, service: string, feature: string): number;
  /** Calls of services in what was compiled so far. */
  readonly callCount: number;
}

export const plain = (
  least: number,
  most: number,
  call: (...args: SqlValue[]) => SqlValue,
): PlainFunction => ({ kind: 'plain', least, most, call });

export const context = (
  least: number,
  most: number,
  call: (scope: Scope, ...args: SqlValue[]) => SqlValue,
): ContextFunction => ({ kind: 'context', least, most, call });

export const special = (
  least: number,
  most: number,
  compile: SpecialFunction['compile'],
): SpecialFunction => ({ kind: 'special', least, most, compile });

/** The text of a literal String argument, which decides how a function works; undefined for all else. */
export function literalText(expression: Expression | undefined): string | undefined {
  return expression?.kind === 'literal' && typeof expression.value === 'string'
    ? expression.value
    : undefined;
}
