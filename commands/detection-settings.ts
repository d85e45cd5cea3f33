import { readFileSync } from 'node:fs';
import { SETTINGS_AGE_MS } from '../shared/adapters/detection/detection-settings-table.ts';
import {
  DetectionSetting,
  fleetSettings,
  settingSortKey,
} from '../shared/core/detection/settings.ts';
import type { Desk, Output } from './anomaly-desk.ts';
import { FailedError } from './command.ts';

/**
 * One setting, or several in an array, as `settings` prints them.
 *
 * @throws {FailedError} naming the file, and the place in it that is wrong
 */
export function readSettingsFile(file: string): readonly DetectionSetting[] {
  const settings = parsed(file);
  const { problems } = fleetSettings(settings);
  if (problems.length > 0) throw new FailedError(`${file}: ${problems.join('\n')}`);
  return settings;
}

function parsed(file: string): readonly DetectionSetting[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new FailedError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
  const list = Array.isArray(content) ? content : [content];
  return list.map((one, at) => {
    const result = DetectionSetting.safeParse(one);
    if (result.success) return result.data;
    const problems = result.error.issues.map(
      ({ path, message }) => `[${[at, ...path].map(String).join('.')}] ${message}`,
    );
    throw new FailedError(`${file}: ${problems.join('; ')}`);
  });
}

/** Each replaces what was set at its place. */
export async function setSettings(
  settings: readonly DetectionSetting[],
  { settings: table, by, now, timeLeft }: Desk,
  output: Output,
): Promise<void> {
  for (const setting of settings) await table.put({ ...setting, by, atMs: now() }, timeLeft);
  tell('set', settings, output);
}

export async function removeSettings(
  settings: readonly DetectionSetting[],
  { settings: table, timeLeft }: Desk,
  output: Output,
): Promise<void> {
  for (const setting of settings) await table.remove(setting, timeLeft);
  tell('taken back', settings, output);
}

function tell(
  done: string,
  settings: readonly DetectionSetting[],
  { terminal, json }: Output,
): void {
  if (json) {
    terminal.out(`${JSON.stringify(settings)}\n`);
    return;
  }
  for (const setting of settings) {
    terminal.out(`${setting.fleet}  ${settingSortKey(setting)}  ${done}\n`);
  }
  terminal.out(`It holds within ${SETTINGS_AGE_MS / 1000} s.\n`);
}

/** As a file that can be changed and set again; what cannot be read is named. */
export async function showSettings(
  fleet: string,
  { settings: table, timeLeft }: Desk,
  { terminal }: Output,
): Promise<void> {
  const { settings, unreadable } = await table.load(fleet, timeLeft);
  terminal.out(`${JSON.stringify(settings, null, 2)}\n`);
  if (unreadable.length > 0) {
    throw new FailedError(`These cannot be read, and do not count: ${unreadable.join('; ')}`);
  }
}
