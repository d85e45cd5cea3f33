import { readFileSync } from 'node:fs';

export interface Block {
  /** `sh`, `js`, …: what readers see it coloured as. */
  readonly language: string;
  readonly label: string;
  readonly text: string;
}

/** The fenced blocks of a page, each by the label behind its language. */
export const blocksOf = (page: string): Block[] =>
  [...readFileSync(page, 'utf8').matchAll(/^```(\w+) ([^\n]+)\n(.*?)^```$/gms)].map(
    ([, language = '', label = '', text = '']) => ({ language, label, text }),
  );

/** Names that a block of shell exports. */
export const exportedBy = ({ text }: Block): string[] =>
  [...text.matchAll(/^export (.+)$/gm)].flatMap(([, assignments = '']) =>
    [...assignments.matchAll(/(?:^| )([A-Z][A-Z0-9_]*)=/g)].map(([, name = '']) => name),
  );

/** Names of variables of the environment that a block of shell or JavaScript reads. */
export const readBy = ({ language, text }: Block): string[] => {
  const patterns =
    language === 'sh'
      ? [/\$\{?([A-Z][A-Z0-9_]*)/g]
      : [/env\.([A-Z][A-Z0-9_]*)/g, /([A-Z][A-Z0-9_]*)(?=[^{}]*\} = process\.env)/g];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name));
};
