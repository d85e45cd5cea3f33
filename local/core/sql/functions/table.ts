import { COLLECTION } from './collection.ts';
import { CONTEXT } from './context.ts';
import { ENCODING } from './encoding.ts';
import { EXTERNAL } from './external.ts';
import type { FunctionTable } from './function.ts';
import { GUARD } from './guard.ts';
import { HASH } from './hash.ts';
import { NUMERIC } from './numeric.ts';
import { TEXT } from './text.ts';
import { TIME } from './time.ts';

/** Every function of the guide, by its name in lower case. */
export const FUNCTIONS: FunctionTable = {
  ...NUMERIC,
  ...TEXT,
  ...HASH,
  ...COLLECTION,
  ...ENCODING,
  ...TIME,
  ...CONTEXT,
  ...GUARD,
  ...EXTERNAL,
};

/** The known name nearest to a misspelt one, if any is near. */
export function nearestFunction(name: string): string | undefined {
  const reach = Math.max(1, Math.floor(name.length / 3));
  let nearest: string | undefined;
  let least = reach + 1;
  for (const known of [...Object.keys(FUNCTIONS), 'cast']) {
    if (Math.abs(known.length - name.length) >= least) continue;
    const distance = editDistance(name, known);
    if (distance < least) [nearest, least] = [known, distance];
  }
  return nearest;
}

/** Levenshtein's distance. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, char] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + Number(char !== other);
      const removed = (previous[column + 1] ?? 0) + 1;
      current.push(Math.min(replaced, removed, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
