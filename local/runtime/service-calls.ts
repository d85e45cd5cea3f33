import { type Caller, checkInput, type Operation, type Route } from '../operations/operation.ts';
import { type Authorize, demand } from '../servers/aws-access.ts';

/**
 * Calls of emulated services from inside the laptop, held to the caller's role as those that come through the
 * endpoint are.
 *
 * @returns a function of a target (as in `x-amz-target`, or `iot GET /things/{thingName}`), which throws where the laptop does not have it, and
 *   gives a function of caller and input
 */
export function createServiceCalls(operations: readonly Operation[], authorize: Authorize) {
  const byTarget = new Map(
    operations.map((operation) => [targetOf(operation.route), operation] as const),
  );

  return (target: string) => {
    const operation = byTarget.get(target);
    if (operation === undefined) throw new Error(`the laptop does not have ${target} here`);
    const { invalidInputCode = 'ValidationException' } = operation;
    return async (caller: Caller, input: unknown): Promise<unknown> => {
      const checked = checkInput(operation.input, input, invalidInputCode);
      demand(authorize, caller, operation.needs(checked), operation.denialCode);
      return await operation.run({ input: checked, caller });
    };
  };
}

function targetOf(route: Route): string {
  if ('target' in route) return route.target;
  if ('action' in route) return `${route.service} ${route.action}`;
  return `${route.service} ${route.method} ${route.path}`;
}
