import type { Operation } from '../operation.ts';
import { getCallerIdentity } from './get-caller-identity.ts';

/** What the laptop has of STS. */
export const stsOperations = (): Operation[] => [getCallerIdentity()];
