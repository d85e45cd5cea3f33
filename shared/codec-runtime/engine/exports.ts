/** A place in the engine's memory. */
export type Pointer = number;

/** What we call of QuickJS's build for WebAssembly; its values are handles to values of JavaScript. */
export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global;
  /** Added by `meter`. */
  readonly fuel: WebAssembly.Global;
  _initialize(): void;
  wasm_malloc(bytes: number): Pointer;
  wasm_free(at: Pointer): void;
  qjs_init(): number;
  qjs_set_memory_limit(bytes: number): void;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_eval(source: Pointer, length: number, fileName: Pointer, flags: number): Pointer;
  qjs_call(callee: Pointer, receiver: Pointer, count: number, values: Pointer): Pointer;
  qjs_new_string(text: Pointer, length: number): Pointer;
  qjs_get_undefined(): Pointer;
  qjs_get_exception(): Pointer;
  qjs_is_exception(value: Pointer): number;
  qjs_get_string_len(value: Pointer, length: Pointer): Pointer;
}

const FUNCTIONS = [
  '_initialize',
  'wasm_malloc',
  'wasm_free',
  'qjs_init',
  'qjs_set_memory_limit',
  'qjs_set_max_stack_size',
  'qjs_eval',
  'qjs_call',
  'qjs_new_string',
  'qjs_get_undefined',
  'qjs_get_exception',
  'qjs_is_exception',
  'qjs_get_string_len',
];

/** @throws {Error} naming what another version of the engine lacks */
export function checkExports(exports: WebAssembly.Exports): EngineExports {
  const missing = FUNCTIONS.filter((name) => typeof exports[name] !== 'function');
  if (!(exports['memory'] instanceof WebAssembly.Memory)) missing.push('memory');
  for (const name of ['__stack_pointer', 'fuel']) {
    if (!(exports[name] instanceof WebAssembly.Global)) missing.push(name);
  }
  if (missing.length > 0) throw new Error(`the engine exports no ${missing.join(', ')}`);
  return exports as unknown as EngineExports;
}
