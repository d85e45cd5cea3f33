import { ExternalCallError } from '../errors.ts';
import type { Evaluate } from '../scope.ts';
import { type FunctionTable, plain, special } from './function.ts';

/** The expression, or the default where it is Null, Undefined or a service it calls fails. */
const guarded =
  (evaluate: Evaluate, otherwise: Evaluate): Evaluate =>
  (scope) => {
    try {
      return evaluate(scope) ?? otherwise(scope);
    } catch (error) {
      if (error instanceof ExternalCallError) return otherwise(scope);
      throw error;
    }
  };

export const GUARD: FunctionTable = {
  get_or_default: special(1, 2, ({ args }, tools) => {
    const [value, otherwise] = args;
    const evaluate = value === undefined ? () => undefined : tools.compile(value);
    if (otherwise === undefined) return guarded(evaluate, () => undefined);
    const before = tools.callCount;
    const byDefault = tools.compile(otherwise);
    if (tools.callCount > before) tools.refuse(otherwise, 'a default that calls no service');
    return guarded(evaluate, byDefault);
  }),
  isnull: plain(1, 1, (value) => value === null),
  isundefined: plain(1, 1, (value) => value === undefined),
};
