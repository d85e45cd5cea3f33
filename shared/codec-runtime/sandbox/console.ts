/** A console inside the sandbox: keeps its first lines, for whoever tests a codec. Stands alone: see `runner.ts`. */
export function installConsole(limits: { readonly lines: number; readonly chars: number }) {
  const logs: string[] = [];
  const Text = String;
  const { stringify } = JSON;

  const show = (value: unknown): string => {
    try {
      return typeof value === 'object' ? (stringify(value) ?? Text(value)) : Text(value);
    } catch {
      return '(has no text)';
    }
  };

  const write = (...values: unknown[]): void => {
    if (logs.length >= limits.lines) return;
    let line = '';
    for (let at = 0; at < values.length && line.length < limits.chars; at += 1) {
      line += (at === 0 ? '' : ' ') + show(values[at]);
    }
    logs[logs.length] = line.length > limits.chars ? `${line.substring(0, limits.chars)}…` : line;
  };
  const ignore = (): void => undefined;

  const methods: { [name: string]: unknown } = {};
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table']) {
    methods[name] = write;
  }
  for (const name of ['time', 'timeEnd', 'timeLog', 'group', 'groupEnd', 'assert', 'count']) {
    methods[name] = ignore;
  }
  Object.defineProperty(globalThis, 'console', {
    value: methods,
    writable: true,
    configurable: true,
  });
  return logs;
}
