/*
 * These functions run inside the sandbox: their source is what is sent there. So each must stand alone, naming nothing
 * from outside itself but what QuickJS has, and hold on to what it uses of that, as a codec may change all of it later.
 */

/** What a codec is asked for. */
export type Task = 'bind' | 'decodeUplink' | 'encodeDownlink' | 'decodeDownlink';

/** Limits of an answer, handed in as the script is built. */
export interface AnswerLimits {
  readonly depth: number;
  readonly values: number;
  readonly chars: number;
  readonly texts: number;
  readonly textChars: number;
}

/**
 * Makes the one function that the host calls: task and input in, answer out, both JSON.
 *
 * @param logs  lines that the codec wrote to its console
 */
export function createRunner(logs: string[], limits: AnswerLimits) {
  type Callable = (...values: unknown[]) => unknown;
  type Input = {
    bytes?: unknown;
    fPort?: unknown;
    recvTime?: unknown;
    variables?: unknown;
    data?: unknown;
    normalize?: boolean;
  };

  const compile = Function;
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const isFiniteNumber = Number.isFinite;
  const { keys, create, setPrototypeOf, getPrototypeOf } = Object;
  const Time = Date;
  const Text = String;
  const Promised = Promise.prototype;
  const KeyedMap = Map.prototype;
  const KeyedSet = Set.prototype;

  const functions: { [name: string]: Callable | undefined } = create(null);

  class Fault {
    readonly text: string;
    constructor(text: string) {
      this.text = text;
    }
  }

  /** A script's top level can hold its functions in `let` and `const`, which are no properties of anything. */
  const find = (expression: string): Callable | undefined =>
    compile(
      `try { return typeof ${expression} === 'function' ? ${expression} : undefined; } catch (_) {}`,
    )();

  const standard = (name: string): Callable | undefined =>
    find(name) ??
    find(`module.exports.${name}`) ??
    find(`exports.${name}`) ??
    find(`driver.${name}`);

  const older = (name: string, adapt: (callable: Callable) => Callable): Callable | undefined => {
    const callable = find(name) ?? find(`module.exports.${name}`) ?? find(`exports.${name}`);
    return callable === undefined ? undefined : adapt(callable);
  };

  const bind = (): string[] => {
    functions['decodeUplink'] =
      standard('decodeUplink') ??
      older('Decode', (callable) => (input) => {
        const { fPort, bytes, variables } = input as Input;
        return { data: callable(fPort, bytes, variables) };
      }) ??
      older('Decoder', (callable) => (input) => {
        const { fPort, bytes } = input as Input;
        return { data: callable(bytes, fPort) };
      });
    functions['encodeDownlink'] = standard('encodeDownlink');
    functions['decodeDownlink'] = standard('decodeDownlink');
    functions['normalizeUplink'] = standard('normalizeUplink');
    const bound: string[] = [];
    for (const name in functions) if (functions[name] !== undefined) bound[bound.length] = name;
    return bound;
  };

  const plainOf = (root: unknown): unknown => {
    let values = 0;
    let chars = 0;
    const path: (string | number)[] = [];

    const fail = (problem: string): never => {
      let text = '';
      for (let at = 0; at < path.length; at += 1) {
        const step = path[at];
        text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
      }
      throw new Fault(`${text === '' ? '(root)' : text} ${problem}`);
    };

    const take = (length: number): void => {
      values += 1;
      chars += length;
      if (values > limits.values) fail(`is one more than ${limits.values} values`);
      if (chars > limits.chars) fail(`makes the answer longer than ${limits.chars} characters`);
    };

    const scalar = (value: unknown): unknown => {
      take(typeof value === 'string' ? value.length : 8);
      if (typeof value === 'number' && !isFiniteNumber(value))
        fail(`is ${value}, no finite number`);
      if (typeof value === 'bigint') fail('is a BigInt, which JSON has not');
      return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
    };

    const isOf = (value: object, prototype: object): boolean => {
      for (let one = getPrototypeOf(value); one !== null; one = getPrototypeOf(one)) {
        if (one === prototype) return true;
      }
      return false;
    };

    const list = (value: unknown[]): unknown[] => {
      const plain: unknown[] = setPrototypeOf([], null);
      const { length } = value;
      for (let at = 0; at < length; at += 1) {
        path[path.length] = at;
        plain[at] = walk(value[at]) ?? null;
        path.length -= 1;
      }
      return plain;
    };

    const record = (value: object): object => {
      const plain = create(null);
      const names = keys(value);
      for (let at = 0; at < names.length; at += 1) {
        const name = names[at] as string;
        path[path.length] = name;
        if (name === '__proto__') fail('is a forbidden key');
        take(name.length);
        const member = walk((value as { [name: string]: unknown })[name]);
        if (member !== undefined) plain[name] = member;
        path.length -= 1;
      }
      return plain;
    };

    const walk = (value: unknown): unknown => {
      if (value === null || typeof value !== 'object') return scalar(value);
      take(2);
      if (path.length >= limits.depth) fail(`is nested deeper than ${limits.depth} levels`);
      if (isOf(value, Promised)) fail('is a promise; a codec has to answer at once');
      if (isOf(value, KeyedMap)) fail('is a Map, which JSON has not');
      if (isOf(value, KeyedSet)) fail('is a Set, which JSON has not');
      const { toJSON } = value as { toJSON?: unknown };
      if (typeof toJSON === 'function') return scalarOf((value as { toJSON: Callable }).toJSON(''));
      return isArray(value) ? list(value) : record(value);
    };

    const scalarOf = (value: unknown): unknown =>
      value === null || typeof value !== 'object'
        ? scalar(value)
        : isArray(value)
          ? list(value)
          : record(value);

    return walk(root);
  };

  const textOf = (error: unknown): string => {
    try {
      if (typeof error === 'object' && error !== null && 'message' in error) {
        const { name, message } = error as { name?: unknown; message?: unknown };
        return `${Text(name ?? 'Error')}: ${Text(message)}`;
      }
      return Text(error);
    } catch {
      return 'threw what has no text';
    }
  };

  const shorten = (text: string): string =>
    text.length > limits.textChars ? `${text.substring(0, limits.textChars)}…` : text;

  /** Without a prototype, as one could have a `toJSON` by now. */
  const only = <Value extends object>(value: Value): Value => setPrototypeOf(value, null);

  const run = (task: Task, input: Input): object => {
    if (task === 'bind') return only({ bound: only(bind()) });
    const callable = functions[task];
    if (callable === undefined) return only({ lacks: task });
    if (typeof input.recvTime === 'number') input.recvTime = new Time(input.recvTime);
    const answer = callable(input);
    const normalize = input.normalize ? functions['normalizeUplink'] : undefined;
    if (normalize === undefined || isFailed(answer)) {
      return only({ answer: plainOf(answer) });
    }
    const plain = plainOf(answer);
    const normalized = normalize({ ...input, data: (answer as { data?: unknown }).data });
    return only({ answer: plain, normalized: plainOf(normalized) });
  };

  const isFailed = (answer: unknown): boolean => {
    if (typeof answer !== 'object' || answer === null) return true;
    const { errors } = answer as { errors?: unknown };
    return isArray(errors) && errors.length > 0;
  };

  const settle = (task: Task, input: string): object => {
    try {
      return run(task, parse(input));
    } catch (error) {
      if (error instanceof Fault) return only({ invalid: shorten(error.text) });
      return only({ threw: shorten(textOf(error)) });
    }
  };

  return (task: Task, input: string): string => {
    const result = settle(task, input);
    return stringify(logs.length === 0 ? result : only({ ...result, logs: only(logs) }));
  };
}
