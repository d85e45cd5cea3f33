import * as z from 'zod';

/** Who signed a request: a function of the template under its own role, or the person at the laptop. */
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
}

/** How a request finds its operation: the `x-amz-target` of AWS's JSON protocols, or method and path of its REST ones. */
export type Route =
  | { readonly target: string }
  | { readonly service: string; readonly method: string; readonly path: string };

/** One emulated AWS API operation. `path` of a REST route names its labels in braces: `/things/{thingName}`. */
export interface Operation<Input = unknown> {
  readonly route: Route;
  readonly input: z.ZodType<Input>;
  readonly needs: (input: Input) => readonly Need[];
  readonly run: (request: Request<Input>) => unknown;
}

/** Ties the input's type to its schema, then forgets it, so that operations of all services fit one list. */
export function operation<Input>(definition: Operation<Input>): Operation {
  return definition as unknown as Operation;
}

/** An error as the service answers it: `code` becomes `__type`, `message` its text. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly statusCode: number;

  constructor(code: string, message: string, statusCode = 400) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
  }
}

/**
 * @throws {AwsError} `code`, naming each member at fault, where the input does not fit the operation's schema.
 */
export function checkInput<Input>(schema: z.ZodType<Input>, input: unknown, code: string): Input {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new AwsError(code, z.prettifyError(result.error));
}
