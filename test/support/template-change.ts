import type { Template } from './template.ts';

type Node = Record<string, unknown>;

/**
 * A copy of a template with one value set, or taken away where it is undefined. The path begins with the logical id:
 * `Stream.Properties.Name`; a number is a place in a list.
 */
export function changed(template: Template, path: string, value: unknown): Template {
  const copy = structuredClone(template);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let node = copy.Resources as Node;
  for (const key of keys) {
    node[key] ??= {};
    node = node[key] as Node;
  }
  if (value === undefined) delete node[last];
  else node[last] = value;
  return copy;
}
