/** `module`, `exports` and a `require` that knows nothing but Buffer. Stands alone: see `runner.ts`. */
export function installModules(): void {
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  };
  const { Buffer } = globalThis as { Buffer?: unknown };
  const module = { exports: {} };
  define('module', module);
  define('exports', module.exports);
  define('require', (name: unknown) => {
    if (name === 'buffer' || name === 'node:buffer') return { Buffer };
    throw new Error(`Cannot find module '${name}': codecs have no modules but buffer`);
  });
}
