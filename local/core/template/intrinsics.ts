import { attempt, TemplateProblem } from './problem.ts';

/** What an intrinsic function may ask of the template around it; each throws a `TemplateProblem`. */
export interface Scope {
  readonly reference: (name: string, path: string) => unknown;
  readonly attribute: (logicalId: string, attribute: string, path: string) => unknown;
  readonly condition: (name: string, path: string) => boolean;
  readonly mapping: (map: string, first: string, second: string, path: string) => unknown;
}

/** What `AWS::NoValue` resolves to: the key or list item that holds it goes away. */
export const NO_VALUE = Symbol('AWS::NoValue');

type Intrinsic = (argument: unknown, path: string, scope: Scope) => unknown;
type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const list = (value: unknown, length: number | undefined, path: string): readonly unknown[] => {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    const wanted = length === undefined ? 'a list' : `a list of ${length}`;
    throw new TemplateProblem(path, `takes ${wanted}`);
  }
  return value;
};

const text = (value: unknown, path: string): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateProblem(path, 'takes text, got something else');
};

const texts = (value: unknown, path: string): string[] =>
  list(value, undefined, path).map((item, index) => text(item, `${path}[${index}]`));

const getAtt: Intrinsic = (argument, path, scope) => {
  const [logicalId, attribute] =
    typeof argument === 'string' ? splitOnce(argument) : list(argument, 2, path);
  const name = text(evaluate(attribute, path, scope), path);
  return scope.attribute(text(logicalId, path), name, path);
};

const splitOnce = (dotted: string): readonly [string, string] => {
  const dot = dotted.indexOf('.');
  return dot < 0 ? [dotted, ''] : [dotted.slice(0, dot), dotted.slice(dot + 1)];
};

const sub: Intrinsic = (argument, path, scope) => {
  const [template, given] = Array.isArray(argument) ? list(argument, 2, path) : [argument, {}];
  if (typeof template !== 'string') throw new TemplateProblem(path, 'takes text as its template');
  const variables = isFields(given) ? given : {};
  const lookUp = (name: string): unknown => {
    if (Object.hasOwn(variables, name)) return evaluate(variables[name], `${path}.${name}`, scope);
    const [logicalId, attribute] = splitOnce(name);
    return attribute === ''
      ? scope.reference(name, path)
      : scope.attribute(logicalId, attribute, path);
  };
  return template.replaceAll(/\$\{([^}]*)\}/g, (_all, inner: string) =>
    inner.startsWith('!') ? `\${${inner.slice(1)}}` : text(lookUp(inner.trim()), path),
  );
};

const join: Intrinsic = (argument, path, scope) => {
  const [delimiter, parts] = list(argument, 2, path);
  return texts(evaluate(parts, `${path}[1]`, scope), path).join(text(delimiter, path));
};

const split: Intrinsic = (argument, path, scope) => {
  const [delimiter, source] = list(argument, 2, path);
  return text(evaluate(source, `${path}[1]`, scope), path).split(text(delimiter, path));
};

const select: Intrinsic = (argument, path, scope) => {
  const [at, from] = list(argument, 2, path);
  const index = Number(evaluate(at, `${path}[0]`, scope));
  const choices = list(evaluate(from, `${path}[1]`, scope), undefined, path);
  if (!Number.isInteger(index) || index < 0 || index >= choices.length) {
    throw new TemplateProblem(path, `no item ${String(at)} in a list of ${choices.length}`);
  }
  return choices[index];
};

const choose: Intrinsic = (argument, path, scope) => {
  const [condition, then, otherwise] = list(argument, 3, path);
  const holds = scope.condition(text(condition, path), path);
  return holds ? evaluate(then, `${path}[1]`, scope) : evaluate(otherwise, `${path}[2]`, scope);
};

const findInMap: Intrinsic = (argument, path, scope) => {
  const [map, first, second] = list(argument, 3, path).map((part, index) =>
    text(evaluate(part, `${path}[${index}]`, scope), path),
  );
  return scope.mapping(map ?? '', first ?? '', second ?? '', path);
};

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (argument, path, scope) => scope.reference(text(argument, path), path),
  'Fn::GetAtt': getAtt,
  'Fn::Sub': sub,
  'Fn::Join': join,
  'Fn::Split': split,
  'Fn::Select': select,
  'Fn::If': choose,
  'Fn::FindInMap': findInMap,
  'Fn::Base64': (argument, path, scope) =>
    Buffer.from(text(evaluate(argument, path, scope), path)).toString('base64'),
};

/** The name of the intrinsic function an object stands for, if it does. */
function intrinsicOf(value: Fields, path: string): string | undefined {
  const names = Object.keys(value);
  const [name = ''] = names;
  const called = names.find((key) => key.startsWith('Fn::'));
  if (names.length === 1 && (called !== undefined || name === 'Ref')) return name;
  if (called === undefined) return undefined;
  throw new TemplateProblem(path, `${called} stands beside other keys, it must be alone`);
}

function call(name: string, argument: unknown, path: string, scope: Scope): unknown {
  const intrinsic = INTRINSICS[name];
  if (!intrinsic) throw new TemplateProblem(path, `${name} is not supported`);
  return intrinsic(argument, `${path}.${name}`, scope);
}

type Member = (value: unknown, path: string) => unknown;

function walk(value: unknown, path: string, scope: Scope, member: Member): unknown {
  if (Array.isArray(value)) {
    return value
      .map((item, index) => member(item, `${path}[${index}]`))
      .filter((item) => item !== NO_VALUE);
  }
  if (isFields(value)) {
    const name = intrinsicOf(value, path);
    if (name !== undefined) return call(name, value[name], path, scope);
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      member(item, `${path}.${key}`),
    ]);
    return Object.fromEntries(entries.filter(([, item]) => item !== NO_VALUE));
  }
  if (typeof value === 'string' && value.includes('{{resolve:')) {
    throw new TemplateProblem(path, 'dynamic references ({{resolve:…}}) are not supported');
  }
  return value;
}

/**
 * A template value with its intrinsic functions replaced by what they stand for.
 *
 * @throws {TemplateProblem} at the first thing that cannot be resolved
 */
export function evaluate(value: unknown, path: string, scope: Scope): unknown {
  return walk(value, path, scope, (item, at) => evaluate(item, at, scope));
}

/** As `evaluate`, but goes on past problems: each is noted and its key or item left out. */
export function evaluateAll(
  value: unknown,
  path: string,
  scope: Scope,
  problems: string[],
): unknown {
  return attempt(problems, NO_VALUE as unknown, () =>
    walk(value, path, scope, (item, at) => evaluateAll(item, at, scope, problems)),
  );
}
