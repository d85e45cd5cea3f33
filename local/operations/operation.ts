import type * as z from 'zod';

/** Who signed a request: a function of the template, or a session somebody opened, under its own role; or the person at the laptop. */
export type Caller =
  | { readonly kind: 'operator' }
  | { readonly kind: 'function'; readonly functionName: string; readonly roleArn: string };

/** One grant a call needs from the caller's role: an IAM action on a resource ARN. */
export interface Need {
  readonly action: string;
  readonly resource: string;
  /** Condition keys of this request, for policies with conditions. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

export interface Request<Input> {
  readonly input: Input;
  readonly caller: Caller;
  /** Entries of a batch that an injected fault wants to fail; only where `partialFailures` is set. */
  readonly failIndexes?: readonly number[];
}

/**
 * How a request finds its operation: the `x-amz-target` of AWS's JSON protocols, method and path of
 * its REST ones, or the `Action` of the query protocol with the namespace of its XML answer.
 */
export type Route =
  | { readonly target: string }
  | { readonly service: string; readonly method: string; readonly path: string }
  | { readonly service: string; readonly action: string; readonly xmlNamespace: string };

/** What a REST request says outside and inside its body. */
export interface RestParts {
  /** Values of the path's labels, decoded. */
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/**
 * One emulated AWS API operation. `path` of a REST route names its labels in braces:
 * `/things/{thingName}`, and `/topics/{topic+}` for one that takes all the rest.
 */
export interface Operation<Input = unknown> {
  readonly route: Route;
  readonly input: z.ZodType<Input>;
  /** Makes the input of a REST request; without it labels, query and JSON body become members. */
  readonly fromHttp?: (parts: RestParts) => unknown;
  /** Error code for input that does not fit, `ValidationException` unless said otherwise. */
  readonly invalidInputCode?: string;
  readonly needs: (input: Input) => readonly Need[];
  /** Error code when this grant is missing, `AccessDeniedException` unless said otherwise. */
  readonly denialCode?: (need: Need) => string;
  /** Whether `run` honours `failIndexes`. */
  readonly partialFailures?: boolean;
  /** @returns the answer's members, or an {@link HttpAnswer} where the answer is more than JSON */
  readonly run: (request: Request<Input>) => unknown;
}

/** Ties the input's type to its schema, then forgets it, so that operations of all services fit one list. */
export function operation<Input>(definition: Operation<Input>): Operation {
  return definition as unknown as Operation;
}

/** An answer with its own status, headers or raw body. */
export class HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;

  constructor(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | string,
  ) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

export interface AwsErrorExtras {
  /** Further members of the error's body. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** The code that services which once spoke the query protocol also send, as in `x-amzn-query-error`. */
  readonly queryCode?: string;
}

/** An error as the service answers it: `code` becomes `__type`, `message` its text. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly statusCode: number;
  readonly extras: AwsErrorExtras;

  constructor(code: string, message: string, statusCode = 400, extras: AwsErrorExtras = {}) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
    this.extras = extras;
  }
}

/**
 * @throws {AwsError} `code`, naming each member at fault, where the input does not fit the operation's
 * schema; `SerializationException` where a member is there but of another JSON type.
 */
export function checkInput<Input>(schema: z.ZodType<Input>, input: unknown, code: string): Input {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const { issues } = result.error;
  const mistyped = issues.find((issue) => issue.code === 'invalid_type' && has(input, issue.path));
  const problems = issues
    .map(({ path, message }) => `at '${path.join('.')}': ${message}`)
    .join('; ');
  if (mistyped !== undefined) throw new AwsError('SerializationException', problems);
  const count = issues.length === 1 ? '1 validation error' : `${issues.length} validation errors`;
  throw new AwsError(code, `${count} detected: ${problems}`);
}

function has(input: unknown, path: readonly PropertyKey[]): boolean {
  const value = path.reduce<unknown>(
    (node, key) => (node instanceof Object ? Reflect.get(node, key) : undefined),
    input,
  );
  return value !== undefined && value !== null;
}
