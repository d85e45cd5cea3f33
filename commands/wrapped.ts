/** A line broken between words, so that each part has at most so many characters, unless a word alone has more. */
export function wrapped(line: string, width: number): readonly string[] {
  const parts: string[] = [];
  for (const word of line.split(' ')) {
    const last = parts.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) parts.push(word);
    else parts[parts.length - 1] = `${last} ${word}`;
  }
  return parts;
}
