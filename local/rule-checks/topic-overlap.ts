/** A character, anything within a level, or anything at all. */
type Token = { readonly text: string } | 'level' | 'any';

/** A text of which some parts are not known before a message is there. */
export type TopicPattern = readonly Token[];

export const literal = (text: string): TopicPattern => Array.from(text, (one) => ({ text: one }));
export const LEVEL: TopicPattern = ['level'];
export const ANY: TopicPattern = ['any'];

/** A topic filter as a pattern. A leading wildcard does not match `$…` [MQTT-4.7.2-1], which is the caller's to see. */
export const filterPattern = (filter: string): TopicPattern =>
  filter
    .split('/')
    .flatMap((level, at) => [...(at === 0 ? [] : literal('/')), ...levelPattern(level)]);

function levelPattern(level: string): TopicPattern {
  if (level === '#') return ANY;
  return level === '+' ? LEVEL : literal(level);
}

/** Whether any text fits both patterns. */
export function overlaps(one: TopicPattern, other: TopicPattern): boolean {
  const seen = new Set<string>();
  const open: [number, number][] = [[0, 0]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [i, j] = pair;
    if (i === one.length && j === other.length) return true;
    const id = `${i},${j}`;
    if (seen.has(id)) continue;
    seen.add(id);
    const [a, b] = [one[i], other[j]];
    if (isWild(a)) open.push([i + 1, j]);
    if (isWild(b)) open.push([i, j + 1]);
    if (a !== undefined && b !== undefined && shareCharacter(a, b)) {
      open.push([isWild(a) ? i : i + 1, isWild(b) ? j : j + 1]);
    }
  }
  return false;
}

const isWild = (token: Token | undefined): token is 'level' | 'any' =>
  token === 'level' || token === 'any';

function shareCharacter(a: Token, b: Token): boolean {
  if (isWild(a)) return isWild(b) || a === 'any' || b.text !== '/';
  return isWild(b) ? shareCharacter(b, a) : a.text === b.text;
}
