export type { Mapping } from './event-source/deps.ts';
export { createQueueMapping, type QueueMappingDeps } from './event-source/queue-mapping.ts';
export {
  declaredMapping,
  type QueueMappingSpec,
  type StreamMappingSpec,
} from './event-source/specs.ts';
export { createStreamMapping, type StreamMappingDeps } from './event-source/stream-mapping.ts';
