import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ENGINE = 'node_modules/quickjs-wasi/quickjs.wasm';

/**
 * The engine's binary: beside the bundle in a function's package, among the modules in a working copy.
 *
 * @param root  folder of the package, or of the working copy
 */
export const readEngine = (root: string): Uint8Array => readFileSync(join(root, ENGINE));
