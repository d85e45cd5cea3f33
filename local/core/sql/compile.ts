import type {
  ArrayLiteral,
  Binary,
  Call,
  Case,
  Cast,
  Expression,
  NestedSelect,
  ObjectLiteral,
  Select,
  Variable,
} from './ast.ts';
import { castTo } from './cast.ts';
import { positionOf, SqlSyntaxError, UnsupportedSqlError } from './errors.ts';
import type { CompileTools, ContextFunction, PlainFunction } from './functions/function.ts';
import { FUNCTIONS, nearestFunction } from './functions/table.ts';
import { BINARY, equal, UNARY } from './operators.ts';
import type { Evaluate, Scope } from './scope.ts';
import {
  type Draft,
  fieldOf,
  isArray,
  isObject,
  type SqlArray,
  type SqlValue,
  setField,
} from './values.ts';

/** Wraps what an expression compiles to, so that an explanation can see its values. */
export type Trace = (expression: Expression, evaluate: Evaluate) => Evaluate;

export interface CompilerOptions {
  /** Functions that may call a service. */
  readonly services: ReadonlySet<string>;
  /** SET variables that may be named; absent where they are not known beforehand. */
  readonly variables?: ReadonlySet<string>;
  readonly trace?: Trace;
}

/** Calls of a service that AWS allows in one statement. */
const MOST_CALLS: Readonly<Record<string, number>> = {
  get_dynamodb: 1,
  get_registry_data: 1,
  decode_proto: 2,
};

/** Turns expressions into closures; whatever can be known of a statement is checked here, once. */
export class Compiler implements CompileTools {
  readonly #source: string;
  readonly #options: CompilerOptions;
  readonly #calls = new Map<string, number>();
  #sites = 0;

  constructor(source: string, options: CompilerOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** The services called by what was compiled so far. */
  get services(): readonly string[] {
    return [...this.#calls.keys()];
  }

  compile(expression: Expression): Evaluate {
    const evaluate = this.#compile(expression);
    const { trace } = this.#options;
    return trace === undefined ? evaluate : trace(expression, evaluate);
  }

  refuse(at: Expression, expected: string, hint?: string): never {
    throw new SqlSyntaxError(positionOf(this.#source, at.start), {
      expected,
      found: quote(this.#source.slice(at.start, at.end)),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  unsupported(at: Expression, feature: string, reason: string): never {
    throw new UnsupportedSqlError(positionOf(this.#source, at.start), feature, reason);
  }

  external(call: Call, service: string, feature: string): number {
    if (!this.#options.services.has(service)) {
      this.unsupported(call, feature, 'no service was given that answers it');
    }
    const count = (this.#calls.get(service) ?? 0) + 1;
    const most = MOST_CALLS[service] ?? Number.POSITIVE_INFINITY;
    if (count > most) this.refuse(call, `at most ${most} of ${feature} in a statement`);
    this.#calls.set(service, count);
    this.#sites += 1;
    return this.#sites;
  }

  get callCount(): number {
    return this.#sites;
  }

  #compile(expression: Expression): Evaluate {
    switch (expression.kind) {
      case 'literal': {
        const { value } = expression;
        return () => value;
      }
      case 'name':
        return compileName(expression.name);
      case 'star':
        return (scope) => scope.element;
      case 'variable':
        return this.#variable(expression);
      case 'member':
        return this.#member(expression.object, expression.name);
      case 'unary': {
        const operand = this.compile(expression.operand);
        const operation = UNARY[expression.operator];
        return (scope) => operation(operand(scope));
      }
      case 'binary':
        return this.#binary(expression);
      case 'call':
        return this.#call(expression);
      case 'cast':
        return this.#cast(expression);
      case 'case':
        return this.#case(expression);
      case 'array':
        return this.#array(expression);
      case 'object':
        return this.#object(expression);
      case 'select':
        return this.#nestedSelect(expression);
    }
  }

  #variable({ name, ...node }: Variable): Evaluate {
    const { variables } = this.#options;
    if (variables !== undefined && !variables.has(name)) {
      this.refuse({ name, ...node }, 'a variable that SET binds before');
    }
    return (scope) => fieldOf(scope.evaluation.variables, name);
  }

  #member(object: Expression, name: string): Evaluate {
    const evaluate = this.compile(object);
    return (scope) => fieldOf(evaluate(scope), name);
  }

  #binary({ operator, left, right }: Binary): Evaluate {
    const first = this.compile(left);
    const second = this.compile(right);
    const operation = BINARY[operator];
    return (scope) => operation(first(scope), second(scope));
  }

  #cast({ value, type }: Cast): Evaluate {
    const evaluate = this.compile(value);
    const convert = castTo[type];
    return (scope) => convert(evaluate(scope));
  }

  /** Undefined as the value to compare makes all of it Undefined, ELSE notwithstanding (iot-sql-case). */
  #case({ subject, branches, otherwise }: Case): Evaluate {
    const subjectOf = this.compile(subject);
    const choices = branches.map(({ when, result }) => ({
      when: this.compile(when),
      result: this.compile(result),
    }));
    const last = otherwise === undefined ? undefined : this.compile(otherwise);
    return (scope) => {
      const value = subjectOf(scope);
      if (value === undefined) return undefined;
      const choice = choices.find(({ when }) => equal(value, when(scope)));
      return choice === undefined ? last?.(scope) : choice.result(scope);
    };
  }

  /** An item that is Undefined is left out, as it cannot be written. */
  #array({ items }: ArrayLiteral): Evaluate {
    const values = items.map((item) => this.compile(item));
    return (scope) =>
      values.map((evaluate) => evaluate(scope)).filter((value) => value !== undefined);
  }

  #object({ entries }: ObjectLiteral): Evaluate {
    const fields = entries.map(({ key, value }) => ({ key, evaluate: this.compile(value) }));
    return (scope) => {
      const draft: Draft = {};
      for (const { key, evaluate } of fields) setField(draft, key, evaluate(scope));
      return draft;
    };
  }

  #call(call: Call): Evaluate {
    const { name, args } = call;
    const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (known === undefined) return this.#refuseUnknown(call);
    const { least, most } = known;
    if (args.length < least || args.length > most) {
      this.refuse(call, argumentCount(name, least, most));
    }
    if (known.kind === 'special') return known.compile(call, this);
    const values = args.map((argument) => this.compile(argument));
    return known.kind === 'plain' ? applyPlain(known, values) : applyContext(known, values);
  }

  #refuseUnknown(call: Call): never {
    const { start } = call;
    const nearest = nearestFunction(call.name);
    const found = this.#source.slice(start, start + call.name.length);
    throw new SqlSyntaxError(positionOf(this.#source, start), {
      expected: 'a function of IoT SQL',
      found: `${quote(found)}`,
      ...(nearest === undefined ? {} : { hint: `did you mean ${nearest}?` }),
    });
  }

  /** What a SELECT makes of the payload or element. */
  select(select: Select): Evaluate {
    if (select.kind === 'value') return this.compile(select.value);
    const [only] = select.items;
    if (select.items.length === 1 && only?.path === undefined && only?.value.kind === 'star') {
      return this.compile(only.value);
    }
    const writers = select.items.map(({ value, path }) => {
      const evaluate = this.compile(value);
      return path === undefined ? spread(evaluate) : writeAt(path, evaluate);
    });
    return (scope) => {
      const draft: Draft = {};
      for (const write of writers) write(scope, draft);
      return draft;
    };
  }

  /**
   * Over an array: an array; over an object: one object; over `*`: an array also where the payload
   * is one object, as the published engine run has it.
   */
  #nestedSelect({ select, from, where }: NestedSelect): Evaluate {
    const sourceOf = this.compile(from);
    const selected = this.select(select);
    const condition = where === undefined ? undefined : this.compile(where);
    const isStar = from.kind === 'star';
    const one = (scope: Scope): SqlValue =>
      condition === undefined || condition(scope) === true ? selected(scope) : undefined;
    return (scope) => {
      const source = sourceOf(scope);
      if (isArray(source)) return selectEach(source, scope, one);
      if (isStar && source !== undefined) return selectEach([source], scope, one);
      return isObject(source) ? one(scope.within(source)) : undefined;
    };
  }
}

const compileName =
  (name: string): Evaluate =>
  (scope) =>
    fieldOf(scope.element, name);

function selectEach(source: SqlArray, scope: Scope, one: Evaluate): SqlArray {
  const results: SqlValue[] = [];
  const { evaluation } = scope;
  for (const element of source) {
    if (evaluation.elementsLeft === 0) break;
    evaluation.elementsLeft -= 1;
    const value = one(scope.within(element));
    if (value !== undefined) results.push(value);
  }
  return results;
}

type Writer = (scope: Scope, draft: Draft) => void;

/** `*` beside other items: the fields of an object; nothing where the payload is no object. */
const spread =
  (evaluate: Evaluate): Writer =>
  (scope, draft) => {
    const value = evaluate(scope);
    if (!isObject(value)) return;
    for (const key of Object.keys(value)) setField(draft, key, value[key]);
  };

/** An item that is Undefined writes nothing, so a field of `*` with its name stays. */
function writeAt(path: readonly string[], evaluate: Evaluate): Writer {
  const [first = '', ...rest] = path;
  if (rest.length > 0) {
    return (scope, draft) => {
      const value = evaluate(scope);
      if (value !== undefined) setAt(draft, first, rest, value);
    };
  }
  return (scope, draft) => {
    const value = evaluate(scope);
    if (value !== undefined) setField(draft, first, value);
  };
}

/** Copies the objects on its way: they may belong to the payload. */
function setAt(draft: Draft, key: string, rest: readonly string[], value: SqlValue): void {
  const [next, ...further] = rest;
  if (next === undefined) {
    setField(draft, key, value);
    return;
  }
  const known = fieldOf(draft, key);
  const copy: Draft = isObject(known) ? { ...known } : {};
  setAt(copy, next, further, value);
  setField(draft, key, copy);
}

function applyPlain({ call }: PlainFunction, args: readonly Evaluate[]): Evaluate {
  const [first, second, third] = args;
  if (first === undefined) return () => call();
  if (second === undefined) return (scope) => call(first(scope));
  if (third === undefined) return (scope) => call(first(scope), second(scope));
  return (scope) => call(...args.map((evaluate) => evaluate(scope)));
}

function applyContext({ call }: ContextFunction, args: readonly Evaluate[]): Evaluate {
  const [first] = args;
  if (first === undefined) return (scope) => call(scope);
  return (scope) => call(scope, first(scope));
}

function argumentCount(name: string, least: number, most: number): string {
  const count = least === most ? `${least}` : `${least} to ${most}`;
  return `${count} ${most === 1 ? 'argument' : 'arguments'} of ${name}`;
}

const LONGEST_QUOTE = 60;
const quote = (text: string): string =>
  `'${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text}'`;
