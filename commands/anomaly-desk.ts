import { userInfo } from 'node:os';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type AnomalyQuery,
  type AnomalyTable,
  anomalyTable,
} from '../shared/adapters/detection/anomaly-table.ts';
import {
  type DetectionSettingsTable,
  detectionSettingsTable,
  type Muted,
  SETTINGS_AGE_MS,
} from '../shared/adapters/detection/detection-settings-table.ts';
import type { readSide } from '../shared/adapters/readings/read-side.ts';
import type { AnomalyRecord } from '../shared/core/detection/anomaly-record.ts';
import { evidenceOf, summaryOf, timeOf } from './anomaly-text.ts';
import type { Point } from './chart.ts';
import { FailedError, type Terminal } from './command.ts';
import { openReadSide } from './readings.ts';
import type { Target } from './target.ts';

const PATIENCE_MS = 30_000;
const WEEK_MS = 7 * 86_400_000;
const READINGS_BEFORE = 60;
const READINGS_MOST = 600;

/** What somebody has at hand who looks after anomalies of a stage. */
export interface Desk {
  readonly anomalies: AnomalyTable;
  readonly settings: DetectionSettingsTable;
  readonly history: ReturnType<typeof readSide>['history'];
  readonly by: string;
  readonly now: () => number;
  readonly timeLeft: () => number;
}

export interface Output {
  readonly terminal: Terminal;
  readonly json: boolean;
}

export function openDesk(target: Target): Desk {
  const { client, stage } = target;
  const tools = {
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
  const db = new DynamoDBClient({ ...client });
  const until = Date.now() + PATIENCE_MS;
  return {
    anomalies: anomalyTable(db, `tributary-${stage}-anomalies`, tools),
    settings: detectionSettingsTable(db, `tributary-${stage}-detection-settings`, tools),
    history: openReadSide(target).history,
    by: userInfo().username,
    now: Date.now,
    timeLeft: () => until - Date.now(),
  };
}

export async function list(
  query: AnomalyQuery,
  { anomalies: table, timeLeft }: Desk,
  { terminal, json }: Output,
): Promise<void> {
  const found = await table.list(query, timeLeft);
  if (json) terminal.out(`${JSON.stringify(found)}\n`);
  else if (found.length === 0) terminal.out('There are no anomalies.\n');
  else for (const record of found) terminal.out(summaryOf(record, terminal.columns));
}

export async function find(
  id: string,
  { anomalies: table, timeLeft }: Desk,
): Promise<AnomalyRecord> {
  const found = await table.get(id, timeLeft);
  if (found === undefined) throw new FailedError(`There is no anomaly ${id}.`);
  return found;
}

export async function acknowledge(id: string, desk: Desk): Promise<void> {
  const who = { by: desk.by, atMs: desk.now() };
  if (!(await desk.anomalies.acknowledge(id, who, desk.timeLeft))) {
    throw new FailedError(`There is no anomaly ${id}.`);
  }
}

export async function show(
  record: AnomalyRecord,
  desk: Desk,
  { terminal, json }: Output,
): Promise<void> {
  if (json) {
    terminal.out(`${JSON.stringify(record)}\n`);
    return;
  }
  terminal.out(evidenceOf(record, await readingsAround(record, desk), terminal.columns));
}

/** Of the metric, before the anomaly and while it lasts; the newest so many of both. */
async function readingsAround(
  { thing, metric, openedAtMs, closedAtMs }: AnomalyRecord,
  { history, now }: Desk,
): Promise<readonly Point[]> {
  if (metric === undefined) return [];
  const points = async (fromMs: number, toMs: number, most: number): Promise<Point[]> => {
    const found: Point[] = [];
    for await (const { observedAtMs: atMs, metrics } of history(thing, { fromMs, toMs })) {
      const value = metrics[metric];
      if (value === undefined || typeof value === 'string') continue;
      if (found.push({ atMs, value: Number(value) }) >= most) break;
    }
    return found;
  };
  const before = await points(openedAtMs - WEEK_MS, openedAtMs - 1, READINGS_BEFORE);
  return [...before, ...(await points(openedAtMs, closedAtMs ?? now(), READINGS_MOST))];
}

export const subjectOf = ({ fleet, thing, metric }: AnomalyRecord): Muted => ({
  fleet,
  thing,
  ...(metric !== undefined && { metric }),
});

export async function mute(
  muted: Muted,
  forMs: number,
  { settings, by, now, timeLeft }: Desk,
  { terminal, json }: Output,
): Promise<void> {
  const atMs = now();
  const mutedUntilMs = atMs + forMs;
  await settings.mute(muted, mutedUntilMs, { by, atMs }, timeLeft);
  if (json) {
    terminal.out(`${JSON.stringify({ ...muted, mutedUntilMs })}\n`);
    return;
  }
  const { fleet, thing = `every device of fleet ${fleet}`, metric } = muted;
  const what = metric === undefined ? thing : `${metric} of ${thing}`;
  const within = `within ${SETTINGS_AGE_MS / 1000} s`;
  terminal.out(
    forMs === 0
      ? `Of ${what} is told again, ${within}.\n`
      : `Nothing is told of ${what} until ${timeOf(mutedUntilMs)}, ${within}; it is learned meanwhile.\n`,
  );
}
