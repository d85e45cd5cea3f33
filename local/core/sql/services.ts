import { DESCRIPTOR_SERVICE } from './functions/encoding.ts';
import { EXTERNAL } from './functions/external.ts';

/**
 * Names under which services are given: the functions that call one, and `decode_proto` for
 * `decode(…, 'proto', …)`, which is asked for (bucket, key) and resolves to the bytes of the
 * descriptor set. The others get the function's arguments, the role included.
 */
export const EXTERNAL_FUNCTIONS: readonly string[] = [...Object.keys(EXTERNAL), DESCRIPTOR_SERVICE];
