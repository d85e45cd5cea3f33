import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const pages = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
};

/** Paths of the project as the pages write them, between backticks; `…` and `<…>` stand for something. */
const PATH =
  /`((?:test|local|functions|shared|resources|events|commands|plugins|docs|bench)\/[^`\s*<…]+)`/g;
const LINK = /\]\((?!https?:)([^)#]+)/g;
const SCRIPT = /npm run ([a-z:]+)/g;

/**
 * A test by name: `test/….test.ts` “title as the source writes it”. More titles of the same file follow after a comma
 * or an “and”.
 */
const NAMED_TESTS = /`(test\/[^`\s]+\.test\.ts)`:?((?:(?:,|\s|and)*“[^”]+”)+)/g;
/** In a table whose last column is headed `proof`, a row without a test says why after these words. */
const NO_TEST = 'no test:';

const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name);

interface NamedTest {
  readonly file: string;
  readonly title: string;
}

const namedTests = (text: string): NamedTest[] =>
  [...text.matchAll(NAMED_TESTS)].flatMap(([, file = '', titles = '']) =>
    found(titles, /“([^”]+)”/g).map((title) => ({ file, title: title.replace(/\s+/g, ' ') })),
  );

/** Whether the file has a test, or a group of tests, of that title; or a row of that `name` in a table of tests. */
function hasTest({ file, title }: NamedTest): boolean {
  if (!existsSync(file)) return false;
  const literal = `(['"\`])${title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`;
  const call = new RegExp(`${literal}\\1,\\s*(?:async\\s*)?(?:\\(|\\w+\\s*=>)`);
  const row = new RegExp(`name: ${literal}\\1,`);
  return call.test(sourceOf(file)) || tablesOf(file).some((text) => row.test(text));
}

const sourceOf = (file: string): string => readFileSync(file, 'utf8').replaceAll("\\'", "'");

/** A file of tests, and those beside it that it imports. */
const tablesOf = (file: string): string[] => [
  sourceOf(file),
  ...found(sourceOf(file), /from '\.\/([^']+)'/g).map((name) =>
    sourceOf(join(dirname(file), name)),
  ),
];

/** Rows of the tables whose last column is headed `proof`. */
function rowsToProve(text: string): string[] {
  const rows: string[] = [];
  let proving = false;
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) proving = false;
    else if (/\|\s*proof\s*\|$/.test(line)) proving = true;
    else if (proving && !/^[|\s:-]+$/.test(line)) rows.push(line);
  }
  return rows;
}

describe('what the pages name is there:', () => {
  it.each(pages)('%s', (page) => {
    const text = readFileSync(page, 'utf8');
    const missing = [
      ...found(text, PATH).filter((path) => !existsSync(path.replace(/[,.:;]$/, ''))),
      ...found(text, LINK).filter((link) => !existsSync(join(dirname(page), link))),
      ...found(text, SCRIPT).filter((name) => scripts[name] === undefined),
    ];
    expect(missing).toEqual([]);
  });
});

describe('tests that the pages name by title are there, and every proof names one:', () => {
  it.each(pages)('%s', (page) => {
    const text = readFileSync(page, 'utf8');
    const missing = namedTests(text).filter((named) => !hasTest(named));
    const unproven = rowsToProve(text).filter(
      (row) => namedTests(row).length === 0 && !row.includes(NO_TEST),
    );
    expect({ missing, unproven }).toEqual({ missing: [], unproven: [] });
  });
});
