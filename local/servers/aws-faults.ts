import { AwsError, type Caller } from '../operations/operation.ts';
import { breakOff } from './aws-answer.ts';
import type { HttpResponse } from './aws-request.ts';

/** A call as a fault injector sees it, after authorisation and before it runs. */
export interface FaultyCall {
  /** `Kinesis_20131202.PutRecords`, `DynamoDB_20120810.PutItem`, `sts.GetCallerIdentity`, `POST /topics/{topic+}`. */
  readonly target: string;
  readonly input: unknown;
  readonly caller: Caller;
}

/** What goes wrong with a call that otherwise takes place. */
export interface Disturbance {
  /** Waits so long before the call runs. */
  readonly delayMs?: number;
  /** Entries of a PutRecords or BatchWriteItem that fail while the others take place. */
  readonly failIndexes?: readonly number[];
  /** The call takes place, but the connection breaks instead of an answer. */
  readonly loseAnswer?: boolean;
}

/** An error to answer with instead, a disturbance, or nothing. */
export type Fault = AwsError | Disturbance | undefined;

export type Faults = (call: FaultyCall) => Fault;

/** @throws {AwsError} the fault, when it is one */
export function disturbance(fault: Fault): Disturbance {
  if (fault instanceof AwsError) throw fault;
  return fault ?? {};
}

/** From now on, ending the answer breaks off instead. */
export function loseAnswer(response: HttpResponse): void {
  const end = (): HttpResponse => {
    breakOff(response);
    return response;
  };
  Object.assign(response, { write: () => true, end });
}
