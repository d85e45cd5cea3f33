import type { Template } from '../support/template.ts';

/** One statement of any policy in a template, its intrinsic functions written out as text. */
export interface Statement {
  /** Logical id and sid, or place: `IngestRole.Log`, `DevicePolicy.2`. */
  readonly where: string;
  readonly resourceId: string;
  readonly kind: 'trust' | 'permission';
  readonly effect: string;
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** `operator key` to values: `ArnLike aws:SourceArn`. */
  readonly conditions: ReadonlyMap<string, readonly string[]>;
  /** Whichever of NotAction, NotPrincipal, NotResource it has. */
  readonly inversions: readonly string[];
}

/** Every statement of every policy, wherever in a resource's properties it stands. */
export function statementsOf(template: Template): Statement[] {
  return Object.entries(template.Resources).flatMap(([id, { Properties }]) =>
    documentsIn(Properties, '').flatMap(({ path, statements }) =>
      statements.map((raw, index) => statement(id, path, raw, index)),
    ),
  );
}

interface Document {
  readonly path: string;
  readonly statements: readonly Record<string, unknown>[];
}

function documentsIn(value: unknown, path: string): Document[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('Statement' in value) {
    return [{ path, statements: list(value.Statement) as Record<string, unknown>[] }];
  }
  return Object.entries(value).flatMap(([key, member]) => documentsIn(member, `${path}.${key}`));
}

function statement(
  id: string,
  path: string,
  raw: Record<string, unknown>,
  index: number,
): Statement {
  return {
    where: `${id}.${String(raw['Sid'] ?? index)}`,
    resourceId: id,
    kind: path.endsWith('.AssumeRolePolicyDocument') ? 'trust' : 'permission',
    effect: String(raw['Effect']),
    principals: principalsIn(raw['Principal']),
    actions: list(raw['Action']).map(text),
    resources: list(raw['Resource']).map(text),
    conditions: conditionsIn(raw['Condition']),
    inversions: Object.keys(raw).filter((key) => key.startsWith('Not')),
  };
}

function principalsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return list(value).map(text);
  return Object.values(value).flatMap((member) => list(member).map(text));
}

function conditionsIn(value: unknown): Map<string, string[]> {
  const pairs = Object.entries((value ?? {}) as Record<string, Record<string, unknown>>).flatMap(
    ([operator, keys]) =>
      Object.entries(keys).map(
        ([key, values]) => [`${operator} ${key}`, list(values).map(text)] as const,
      ),
  );
  return new Map(pairs.map(([key, values]) => [key, [...values]]));
}

export function list(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** A value with its intrinsic functions as text: `<Stream.Arn>`, `arn:<AWS::Partition>:…`. */
export function text(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name, argument] = ['', undefined]] = Object.entries(value);
  switch (name) {
    case 'Ref':
      return `<${String(argument)}>`;
    case 'Fn::GetAtt':
      return `<${list(argument).join('.')}>`;
    case 'Fn::Sub':
      return String(argument).replace(/\$\{(!?)([^}]+)\}/g, (_all, literal, inner) =>
        literal === '' ? `<${inner}>` : `$\{${inner}}`,
      );
    case 'Fn::Join': {
      const [separator, parts] = list(argument);
      return list(parts).map(text).join(String(separator));
    }
    default:
      return JSON.stringify(value);
  }
}
