import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { FailedError } from '../../commands/command.ts';
import { readSettingsFile } from '../../commands/detection-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'tributary-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(content: unknown): string {
  const file = join(folder, 'settings.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const RANGE = {
  what: 'options',
  fleet: 'acme',
  type: 'fridge',
  metric: 'temperature',
  options: { range: { low: -30, high: 12 }, falseAlarmsPerMonth: 2 },
};

it('reads one setting, or several', () => {
  expect(readSettingsFile(fileOf(RANGE))).toEqual([RANGE]);
  const type = { what: 'type', fleet: 'acme', thing: 'cellar-1', type: 'fridge' };
  expect(readSettingsFile(fileOf([RANGE, type]))).toEqual([RANGE, type]);
});

it.each([
  { content: '{', says: /settings\.json: .*JSON/ },
  { content: [RANGE, { ...RANGE, options: { rnage: 1 } }], says: /\[1\.options\] .*rnage/ },
  { content: { ...RANGE, fleet: 'a b' }, says: /\[0\.fleet\] wants 1 to 64 of/ },
  { content: { ...RANGE, thing: 'cellar-1' }, says: /\[0\.type\] .* not of both/ },
  { content: { ...RANGE, what: 'colour' }, says: /\[0\.what\]/ },
  {
    content: { what: 'model', fleet: 'acme', name: 'motor', input: 'MotorInput', model: {} },
    says: /model#motor: /,
  },
])('says where $content is wrong', ({ content, says }) => {
  const file = fileOf(content);
  expect(() => readSettingsFile(file)).toThrow(FailedError);
  expect(() => readSettingsFile(file)).toThrow(says);
});

it('names a file that is not there', () => {
  expect(() => readSettingsFile(join(folder, 'none.json'))).toThrow(/none\.json: .*ENOENT/);
});
