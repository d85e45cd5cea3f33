import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Template } from './template.ts';

type ResourceSpec = NonNullable<ReturnType<typeof specOf>>;
type PropertySpecs = ResourceSpec['properties'];
type PropertyType = PropertySpecs[string]['type'];

const database = loadAwsServiceSpecSync();

function specOf(type: string) {
  return database.lookup('resource', 'cloudFormationType', 'equals', type)[0];
}

/**
 * What CloudFormation would refuse in a template's resources, one `LogicalId.Path: problem` each: unknown types and
 * properties, missing ones, values of the wrong kind or outside an enumeration, references to nothing.
 */
export function schemaProblems(template: Template): string[] {
  return Object.entries(template.Resources).flatMap(
    ([id, { Type, Properties = {}, DependsOn = [] }]) => {
      const spec = specOf(Type);
      if (spec === undefined) return [`${id}: no such resource type as ${Type}`];
      return [
        ...objectProblems(id, Properties, spec.properties),
        ...referenceProblems(id, Properties, template),
        ...[DependsOn]
          .flat()
          .flatMap((other) =>
            other in template.Resources ? [] : [`${id}: depends on ${other}, which is not there`],
          ),
      ];
    },
  );
}

function objectProblems(path: string, value: object, specs: PropertySpecs): string[] {
  const missing = Object.entries(specs)
    .filter(([name, { required }]) => required === true && !(name in value))
    .map(([name]) => `${path}: ${name} is required`);
  const present = Object.entries(value).flatMap(([name, member]) => {
    const spec = specs[name];
    return spec === undefined
      ? [`${path}: no such property as ${name}`]
      : valueProblems(`${path}.${name}`, member, spec.type);
  });
  return [...missing, ...present];
}

function valueProblems(path: string, value: unknown, type: PropertyType): string[] {
  if (isIntrinsic(value)) return [];
  switch (type.type) {
    case 'ref':
      if (!isObject(value)) return [`${path}: takes an object`];
      return objectProblems(path, value, database.get('typeDefinition', type.reference).properties);
    case 'array':
      if (!Array.isArray(value)) return [`${path}: takes a list`];
      return value.flatMap((item: unknown, index) =>
        valueProblems(`${path}[${index}]`, item, type.element),
      );
    case 'map':
      if (!isObject(value)) return [`${path}: takes a map`];
      return Object.entries(value).flatMap(([key, item]) =>
        valueProblems(`${path}.${key}`, item, type.element),
      );
    case 'union':
      return unionProblems(path, value, type.types);
    case 'tag':
      return isObject(value) && 'Key' in value && 'Value' in value
        ? []
        : [`${path}: takes a Key and a Value`];
    case 'json':
      return isObject(value) || Array.isArray(value) ? [] : [`${path}: takes JSON`];
    default:
      return primitiveProblems(path, value, type);
  }
}

/** The problems of the alternative that fits best. */
function unionProblems(path: string, value: unknown, types: readonly PropertyType[]): string[] {
  const [best = []] = types
    .map((type) => valueProblems(path, value, type))
    .sort((left, right) => left.length - right.length);
  return best;
}

const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  'date-time': (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  number: Number.isFinite,
  null: (value) => value === null,
};

function primitiveProblems(
  path: string,
  value: unknown,
  type: { type: string; allowedValues?: readonly unknown[] },
): string[] {
  if (IS[type.type]?.(value) !== true)
    return [`${path}: takes a ${type.type}, not ${JSON.stringify(value)}`];
  if (type.allowedValues !== undefined && !type.allowedValues.includes(value)) {
    return [`${path}: takes one of ${type.allowedValues.join(', ')}, not ${JSON.stringify(value)}`];
  }
  return [];
}

function referenceProblems(path: string, value: unknown, template: Template): string[] {
  return referencesIn(value).flatMap((name) => {
    const problem = nameProblem(name, template);
    return problem === undefined ? [] : [`${path}: ${problem}`];
  });
}

/** `Id` or `Id.Attribute` for everything the intrinsic functions in a value point at. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, argument]) => {
    if (name === 'Ref') return [String(argument)];
    if (name === 'Fn::GetAtt') return [[argument].flat().join('.')];
    if (name === 'Fn::Sub')
      return [...String(argument).matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, found = '']) => found);
    return referencesIn(argument);
  });
}

function nameProblem(name: string, template: Template): string | undefined {
  if (name.startsWith('AWS::')) return undefined;
  const [id = '', ...rest] = name.split('.');
  const resource = template.Resources[id];
  if (resource === undefined) return `refers to ${id}, which is not there`;
  const attribute = rest.join('.');
  if (attribute === '' || attribute in (specOf(resource.Type)?.attributes ?? {})) return undefined;
  return `${resource.Type} has no attribute ${attribute}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIntrinsic(value: unknown): boolean {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && /^(Ref$|Fn::)/.test(keys[0] ?? '');
}
