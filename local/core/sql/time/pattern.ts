/** A pattern's pieces: runs of one letter, literal text, and brackets of optional parts. */
export type PatternPiece =
  | { readonly letter: string; readonly count: number }
  | { readonly text: string; readonly quoted?: true };

const PIECE = /([A-Za-z])\1*|'(?:[^']|'')*'|[^A-Za-z']/g;

const LONGEST_PATTERN = 1_000;

/** Cuts a date pattern into pieces; undefined where a quote is left open, or for over 1,000 characters. */
export function patternPieces(pattern: string): readonly PatternPiece[] | undefined {
  if (pattern.length > LONGEST_PATTERN) return undefined;
  const pieces: PatternPiece[] = [];
  let end = 0;
  for (const match of pattern.matchAll(PIECE)) {
    if (match.index !== end) return undefined;
    end += match[0].length;
    pieces.push(pieceOf(match[0], match[1]));
  }
  return end === pattern.length ? pieces : undefined;
}

function pieceOf(found: string, letter: string | undefined): PatternPiece {
  if (letter !== undefined) return { letter, count: found.length };
  if (found === "''") return { text: "'", quoted: true };
  if (!found.startsWith("'")) return { text: found };
  return { text: found.slice(1, -1).replaceAll("''", "'"), quoted: true };
}
