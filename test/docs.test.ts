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

const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name);

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
