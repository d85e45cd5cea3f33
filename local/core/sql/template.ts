import type { Expression, Template } from './ast.ts';
import { Compiler } from './compile.ts';
import { toText } from './convert.ts';
import { drive, type ExternalCalls, NO_CALLS } from './external.ts';
import type { SqlEnvironment, SqlMessage } from './message.ts';
import { parseEmbedded } from './parser.ts';
import type { CompileOptions } from './rule.ts';
import { type Evaluate, newEvaluation, Scope } from './scope.ts';
import type { SqlObject } from './values.ts';

export interface TemplateOptions extends CompileOptions {
  /** Variables that the rule's SET binds; without it any may be named. */
  readonly variables?: readonly string[];
}

export interface CompiledTemplate {
  readonly text: string;
  readonly template: Template;
  readonly services: readonly string[];
  /** Evaluated against the original payload; Null and Undefined write nothing. */
  evaluate(message: SqlMessage, env: SqlEnvironment, variables?: SqlObject): string;
  evaluateAsync(message: SqlMessage, env: SqlEnvironment, variables?: SqlObject): Promise<string>;
}

/**
 * Compiles a parameter of an action: text with any number of `${expression}`.
 *
 * @throws {SqlSyntaxError} | {UnsupportedSqlError} as {@link compileRule}, positions within `text`
 */
export function compileTemplate(text: string, options: TemplateOptions = {}): CompiledTemplate {
  const template = parseTemplate(text);
  const compiler = new Compiler(text, {
    services: new Set(options.services),
    ...(options.variables === undefined ? {} : { variables: new Set(options.variables) }),
  });
  const parts = template.parts.map((part) => compilePart(part, compiler));
  const write = (
    message: SqlMessage,
    env: SqlEnvironment,
    calls: ExternalCalls,
    variables: SqlObject,
  ): string => {
    const scope = new Scope(newEvaluation(message, env, calls, { ...variables }));
    return parts
      .map((part) => (typeof part === 'string' ? part : (toText(part(scope)) ?? '')))
      .join('');
  };
  return {
    text,
    template,
    services: compiler.services,
    evaluate: (message, env, variables = {}) => write(message, env, NO_CALLS, variables),
    evaluateAsync: (message, env, variables = {}) =>
      drive(env, (repeatable, calls) => write(message, repeatable, calls, variables)),
  };
}

const compilePart = (part: string | Expression, compiler: Compiler): string | Evaluate =>
  typeof part === 'string' ? part : compiler.compile(part);

const OPEN = '${';

function parseTemplate(source: string): Template {
  const parts: (string | Expression)[] = [];
  let at = 0;
  for (;;) {
    const open = source.indexOf(OPEN, at);
    if (open < 0) break;
    if (open > at) parts.push(source.slice(at, open));
    const { expression, end } = parseEmbedded(source, open + OPEN.length);
    parts.push(expression);
    at = end;
  }
  if (at < source.length) parts.push(source.slice(at));
  return { source, parts };
}
