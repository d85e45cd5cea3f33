import type { ExternalCalls } from './external.ts';
import { MOST_ELEMENTS } from './limits.ts';
import { payloadOf, type SqlEnvironment, type SqlMessage } from './message.ts';
import type { Draft, SqlValue } from './values.ts';

/** An expression, compiled: no text is looked at any more. */
export type Evaluate = (scope: Scope) => SqlValue;

/** What one evaluation of a rule shares, however deep its nested SELECTs. */
export interface Evaluation {
  readonly message: SqlMessage;
  readonly env: SqlEnvironment;
  readonly calls: ExternalCalls;
  /** What SET bound so far. */
  readonly variables: Draft;
  elementsLeft: number;
}

export const newEvaluation = (
  message: SqlMessage,
  env: SqlEnvironment,
  calls: ExternalCalls,
  variables: Draft = {},
): Evaluation => ({ message, env, calls, variables, elementsLeft: MOST_ELEMENTS });

/** Where names are looked up: the payload, or inside a nested SELECT the element, and nothing around it. */
export class Scope {
  readonly evaluation: Evaluation;
  readonly isPayload: boolean;
  #element: SqlValue;
  #known: boolean;

  constructor(evaluation: Evaluation, isPayload = true, element?: SqlValue) {
    this.evaluation = evaluation;
    this.isPayload = isPayload;
    this.#element = element;
    this.#known = !isPayload;
  }

  /** Looked up lazily: a rule that names no field never parses its payload. */
  get element(): SqlValue {
    if (!this.#known) {
      this.#element = payloadOf(this.evaluation.message).value;
      this.#known = true;
    }
    return this.#element;
  }

  within(element: SqlValue): Scope {
    return new Scope(this.evaluation, false, element);
  }
}
