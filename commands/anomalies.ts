import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type AnomalyQuery,
  type AnomalyTable,
  anomalyTable,
} from '../shared/adapters/anomaly-table.ts';
import {
  type DetectionSettingsTable,
  detectionSettingsTable,
  type Muted,
  SETTINGS_AGE_MS,
} from '../shared/adapters/detection-settings-table.ts';
import type { readSide } from '../shared/adapters/read-side.ts';
import type { AnomalyRecord } from '../shared/core/detection/anomaly-record.ts';
import { NAME } from '../shared/core/names.ts';
import { evidenceOf, summaryOf, timeOf } from './anomaly-text.ts';
import type { Point } from './chart.ts';
import { type Command, FailedError, type Terminal, UsageError } from './command.ts';
import { lengthMs } from './length.ts';
import { openReadSide } from './readings.ts';
import { findTarget, TARGET_OPTIONS, TARGET_USAGE, type Target } from './target.ts';

const PATIENCE_MS = 30_000;
const WEEK_MS = 7 * 86_400_000;
const COLUMNS = 80;
const READINGS_BEFORE = 60;
const READINGS_MOST = 600;

interface Desk {
  readonly anomalies: AnomalyTable;
  readonly settings: DetectionSettingsTable;
  readonly history: ReturnType<typeof readSide>['history'];
  readonly by: string;
  readonly now: () => number;
  readonly timeLeft: () => number;
}

/** `npm run anomalies`: what was found to be strange, why, and what of it somebody has seen to. */
export const anomalies: Command = {
  name: 'anomalies',
  summary:
    'Shows anomalies of devices, explains one, notes that it was seen, or mutes what it is about.',
  usage: `npm run anomalies -- [list|show|ack|mute] [options]

  list             the newest first, those that are over as well
  show <id>        one, with its evidence and a drawing of the readings around it
  ack <id>         notes that you have seen it
  mute <id>        says nothing of its metric, or its device, for a while; it is learned meanwhile
  mute             … of all that --fleet, --thing and --metric name

  --fleet <name>   list: only of this fleet; mute: of this fleet
  --thing <name>   list: only of this device; mute: of this device
  --metric <name>  mute: of this metric
  --state <state>  list: only those that are open, or closed
  --limit <n>      list: at most so many (20)
  --for <time>     mute: as 30m, 8h or 7d (8h); 0m lets it speak again
${TARGET_USAGE}`,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: OPTIONS,
    });
    const [verb = 'list', id, ...more] = positionals;
    if (!VERBS.includes(verb)) {
      throw new UsageError(`There is no '${verb}'; there are ${VERBS.join(', ')}.`);
    }
    if (more.length > 0) throw new UsageError(`One id at a time, so what is '${more.join(' ')}'?`);
    if (id !== undefined && !ID.test(id)) {
      throw new UsageError(`'${id}' is no id of an anomaly; list shows them: ${ID_SHAPE}.`);
    }
    const work = id === undefined ? withoutId(verb, values) : withId(verb, id, values);
    await work(openDesk(findTarget(values)), { terminal, json: values.json === true });
    return undefined;
  },
};

const VERBS = ['list', 'show', 'ack', 'mute'];
const ID = /^[A-Za-z0-9_-]{1,64}\/[^/]*\/[^/]+\/[0-9a-z]{1,9}$/;
const ID_SHAPE = '<thing>/<metric>/<what found it>/<when>';

const OPTIONS = {
  ...TARGET_OPTIONS,
  fleet: { type: 'string' },
  thing: { type: 'string' },
  metric: { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string', default: '20' },
  for: { type: 'string', default: '8h' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

interface Output {
  readonly terminal: Terminal;
  readonly json: boolean;
}

/** What is to be done once the stage is found; wrong words are complained about before. */
type Work = (desk: Desk, output: Output) => Promise<void>;

function withId(verb: string, id: string, values: Values): Work {
  if (verb === 'list') throw new UsageError(`list takes options only; show ${id} explains one.`);
  if (verb === 'mute') {
    const forMs = muteLength(values.for);
    return async (desk, output) => mute(subjectOf(await find(id, desk)), forMs, desk, output);
  }
  return async (desk, output) => {
    if (verb === 'ack') await acknowledge(id, desk);
    await show(await find(id, desk), desk, output);
  };
}

function withoutId(verb: string, values: Values): Work {
  if (verb === 'list') {
    const query = queryOf(values);
    return (desk, output) => list(query, desk, output);
  }
  if (verb !== 'mute') throw new UsageError(`${verb} wants an id; list shows them.`);
  const muted = mutedOf(values);
  const forMs = muteLength(values.for);
  return (desk, output) => mute(muted, forMs, desk, output);
}

function queryOf({ fleet, thing, state, limit }: Values): AnomalyQuery {
  if (state !== undefined && state !== 'open' && state !== 'closed') {
    throw new UsageError(`--state wants open or closed, not ${state}.`);
  }
  if (!/^[1-9]\d{0,4}$/.test(limit)) {
    throw new UsageError(`--limit wants a whole number from 1, not ${limit}.`);
  }
  return {
    ...named('fleet', fleet),
    ...named('thing', thing),
    ...(state !== undefined && { state }),
    limit: Number(limit),
  };
}

function mutedOf({ fleet, thing, metric }: Values): Muted {
  if (fleet === undefined) {
    throw new UsageError('What is to be muted? An id of an anomaly, or --fleet and what of it.');
  }
  return { fleet, ...named('fleet', fleet), ...named('thing', thing), ...(metric && { metric }) };
}

function named<N extends 'fleet' | 'thing'>(option: N, name: string | undefined) {
  if (name === undefined) return {};
  if (!NAME.test(name)) {
    throw new UsageError(`--${option} wants 1 to 64 of A-Z a-z 0-9 _ and -, not ${name}.`);
  }
  return { [option]: name } as Record<N, string>;
}

function muteLength(text: string): number {
  const ms = lengthMs(text);
  if (ms === undefined) throw new UsageError(`--for wants 30m, 8h or 7d, not ${text}.`);
  return ms;
}

function openDesk(target: Target): Desk {
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

async function list(
  query: AnomalyQuery,
  { anomalies: table, timeLeft }: Desk,
  { terminal, json }: Output,
): Promise<void> {
  const found = await table.list(query, timeLeft);
  if (json) terminal.out(`${JSON.stringify(found)}\n`);
  else if (found.length === 0) terminal.out('There are no anomalies.\n');
  else for (const record of found) terminal.out(summaryOf(record));
}

async function find(id: string, { anomalies: table, timeLeft }: Desk): Promise<AnomalyRecord> {
  const found = await table.get(id, timeLeft);
  if (found === undefined) throw new FailedError(`There is no anomaly ${id}.`);
  return found;
}

async function acknowledge(id: string, desk: Desk): Promise<void> {
  const who = { by: desk.by, atMs: desk.now() };
  if (!(await desk.anomalies.acknowledge(id, who, desk.timeLeft))) {
    throw new FailedError(`There is no anomaly ${id}.`);
  }
}

async function show(record: AnomalyRecord, desk: Desk, { terminal, json }: Output): Promise<void> {
  if (json) {
    terminal.out(`${JSON.stringify(record)}\n`);
    return;
  }
  const { columns = COLUMNS } = terminal;
  terminal.out(evidenceOf(record, await readingsAround(record, desk), columns));
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

const subjectOf = ({ fleet, thing, metric }: AnomalyRecord): Muted => ({
  fleet,
  thing,
  ...(metric !== undefined && { metric }),
});

async function mute(
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
