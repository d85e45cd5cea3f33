import type { Operation, RestParts, Route } from '../operations/operation.ts';
import { AwsError } from '../operations/operation.ts';
import { queryMembers } from './aws-query.ts';
import { type AwsRequest, jsonMembers } from './aws-request.ts';

/** How request and answer are written. */
export type Protocol =
  | { readonly kind: 'json'; readonly contentType: string }
  | { readonly kind: 'rest' }
  | { readonly kind: 'query'; readonly action: string; readonly xmlNamespace: string };

/** What a request asks for. */
export interface Call {
  /** `Kinesis_20131202.PutRecords`, `sts.GetCallerIdentity` or `POST /topics/{topic+}`. */
  readonly target: string;
  readonly protocol: Protocol;
  /** Undefined when there is no such operation here. */
  readonly operation: Operation | undefined;
  /** The input before the operation's schema saw it. @throws {AwsError} when it cannot be read. */
  readonly input: () => unknown;
}

type RouteOf<Key extends string> = Extract<Route, Readonly<Record<Key, string>>>;
type Routed<Key extends string> = Operation & { readonly route: RouteOf<Key> };

const routedBy =
  <Key extends string>(key: Key) =>
  (operation: Operation): operation is Routed<Key> =>
    key in operation.route;

/** Finds the operation of a request: by `x-amz-target`, by `Action`, or by method and path. */
export function createRouter(operations: readonly Operation[]) {
  const targets = new Map(
    operations.filter(routedBy('target')).map((operation) => [operation.route.target, operation]),
  );
  const actions = operations.filter(routedBy('action'));
  const paths = operations.filter(routedBy('path')).map(compilePath).sort(literalFirst);

  function byTarget(request: AwsRequest, target: string): Call {
    const type = request.headers['content-type'] ?? '';
    return {
      target,
      protocol: {
        kind: 'json',
        contentType: type.startsWith('application/x-amz-json-')
          ? type
          : 'application/x-amz-json-1.1',
      },
      operation: targets.get(target),
      input: () => jsonMembers(request.body),
    };
  }

  function byAction(request: AwsRequest, parameters: URLSearchParams, action: string): Call {
    const service = request.credential?.service;
    const operation = actions.find(
      ({ route }) => route.action === action && (service ?? route.service) === route.service,
    );
    const xmlNamespace = operation?.route.xmlNamespace ?? '';
    return {
      target: `${operation?.route.service ?? service ?? 'unsigned'}.${action}`,
      protocol: { kind: 'query', action, xmlNamespace },
      operation,
      input: () => queryMembers(parameters),
    };
  }

  function byPath(request: AwsRequest): Call {
    const { method, path, credential } = request;
    const protocol = { kind: 'rest' } as const;
    for (const { operation, pattern } of paths) {
      const { route } = operation;
      const found = pattern.exec(path);
      const labels = found?.groups ?? {};
      const service = credential?.service ?? route.service;
      if (found === null || route.method !== method || route.service !== service) continue;
      const target = `${method} ${route.path}`;
      return { target, protocol, operation, input: () => restInput(operation, request, labels) };
    }
    return { target: `${method} ${path}`, protocol, operation: undefined, input: () => ({}) };
  }

  return {
    find(request: AwsRequest): Call {
      const target = request.headers['x-amz-target'];
      if (target !== undefined) return byTarget(request, target);
      const parameters = isForm(request)
        ? new URLSearchParams(request.body.toString())
        : request.query;
      const action = parameters.get('Action');
      return action === null ? byPath(request) : byAction(request, parameters, action);
    },

    /** Names of the JSON operations with this prefix, in order. */
    namesOf: (prefix: string): string[] =>
      [...targets.keys()]
        .filter((target) => target.startsWith(`${prefix}.`))
        .map((target) => target.slice(prefix.length + 1))
        .sort((a, b) => (a < b ? -1 : 1)),
  };
}

const isForm = ({ headers }: AwsRequest): boolean =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;

interface CompiledPath {
  readonly operation: Routed<'path'>;
  readonly pattern: RegExp;
  readonly labelCount: number;
}

function compilePath(operation: Routed<'path'>): CompiledPath {
  const parts = operation.route.path.split(/(\{\w+\+?\})/);
  const pattern = parts
    .map((part) => {
      const [, name, greedy] = /^\{(\w+)(\+?)\}$/.exec(part) ?? [];
      if (name === undefined) return part.replace(/[^\w/-]/g, '\\$&');
      return `(?<${name}>${greedy === '+' ? '.+' : '[^/]+'})`;
    })
    .join('');
  return { operation, pattern: new RegExp(`^${pattern}$`), labelCount: parts.length };
}

const literalFirst = (a: CompiledPath, b: CompiledPath): number => a.labelCount - b.labelCount;

function restInput(
  operation: Operation,
  { query, headers, body }: AwsRequest,
  encoded: Readonly<Record<string, string>>,
): unknown {
  const labels = Object.fromEntries(
    Object.entries(encoded).map(([name, value]) => [name, decodeLabel(value)]),
  );
  const fromHttp = operation.fromHttp ?? mergeParts;
  return fromHttp({ labels, query, headers, body });
}

const mergeParts = ({ labels, query, body }: RestParts): unknown => ({
  ...Object.fromEntries(query),
  ...jsonMembers(body),
  ...labels,
});

function decodeLabel(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError(
      'SerializationException',
      `The path part ${text} is not percent-encoded UTF-8.`,
    );
  }
}
