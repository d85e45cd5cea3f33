import type { LambdaRuntime } from '../../runtime/lambda.ts';
import type { Operation } from '../operation.ts';
import { invoke } from './invoke.ts';

/** What the laptop has of Lambda. */
export const lambdaOperations = (lambda: LambdaRuntime): Operation[] => [invoke(lambda)];
