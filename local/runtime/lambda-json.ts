/** JSON of any value: what has none by itself, `undefined` or a function, is `null`, as inside a list. */
export const toJson = (value: unknown): string => JSON.stringify([value]).slice(1, -1);
