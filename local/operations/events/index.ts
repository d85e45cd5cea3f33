import type { Operation } from '../operation.ts';
import { type EventsDeps, putEvents } from './put-events.ts';

/** EventBridge over AWS JSON 1.1: what is put on a bus goes to the template's rules. */
export const eventsOperations = (deps: EventsDeps): Operation[] => [putEvents(deps)];
