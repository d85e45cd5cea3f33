/** What we use of the JavaScript API of WebAssembly: the types of Node have next to none of it. */
declare namespace WebAssembly {
  class Module {
    constructor(binary: Uint8Array);
  }

  class Instance {
    readonly exports: Exports;
    constructor(module: Module, imports: Imports);
  }

  class Memory {
    readonly buffer: ArrayBuffer;
    private constructor();
    /** @returns the size before, in pages of 64 KiB */
    grow(pages: number): number;
  }

  class Global {
    value: number;
    private constructor();
  }

  /** A trap. */
  class RuntimeError extends Error {}

  type Exports = Readonly<Record<string, unknown>>;
  type Imports = Readonly<Record<string, Readonly<Record<string, (...values: never[]) => number>>>>;
}
