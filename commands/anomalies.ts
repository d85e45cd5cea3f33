import { parseArgs } from 'node:util';
import type { AnomalyQuery } from '../shared/adapters/detection/anomaly-table.ts';
import type { Muted } from '../shared/adapters/detection/detection-settings-table.ts';
import { NAME } from '../shared/core/names.ts';
import { isMetricName } from '../shared/core/reading.ts';
import {
  acknowledge,
  type Desk,
  find,
  list,
  mute,
  type Output,
  openDesk,
  show,
  subjectOf,
} from './anomaly-desk.ts';
import { type Command, UsageError } from './command.ts';
import {
  readSettingsFile,
  removeSettings,
  setSettings,
  showSettings,
} from './detection-settings.ts';
import { lengthMs } from './length.ts';
import { findTarget, refuseOthers, TARGET_OPTIONS, targetUsage } from './target.ts';

/** `npm run anomalies`: what was found to be strange, why, and what of it somebody has seen to. */
export const anomalies: Command = {
  name: 'anomalies',
  summary:
    'Shows anomalies of devices, explains one, notes that it was seen, mutes and sets what is watched.',
  usage: `npm run anomalies -- [list|show|ack|mute|settings|set|unset] [options]

  list             the newest first, those that are over as well
  show <id>        one, with its evidence and a drawing of the readings around it
  ack <id>         notes that you have seen it
  mute <id>        says nothing of its metric, or its device, for a while; it is learned meanwhile
  mute             … of all that --fleet, --thing and --metric name
  settings         what is set about the detection of a --fleet, as a file for set
  set <file>       sets what stands in a JSON file: ranges, limits, rules, types of devices, models
  unset <file>     takes back what stands in it

  --fleet <name>   list: only of this fleet; mute, settings: of this fleet
  --thing <name>   list: only of this device; mute: of this device
  --metric <name>  mute: of this metric
  --state <state>  list: only those that are open, or closed
  --limit <n>      list: at most so many (20)
  --for <time>     mute: as 30m, 8h or 7d (8h); 0m lets it speak again
${targetUsage()}`,
  async run(args, terminal) {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: OPTIONS,
    });
    const [verb = 'list', what, ...more] = positionals;
    if (!VERBS.includes(verb)) {
      throw new UsageError(`There is no '${verb}'; there are ${VERBS.join(', ')}.`);
    }
    if (more.length > 0) throw new UsageError(`One at a time, so what is '${more.join(' ')}'?`);
    const known = verb === 'mute' && what !== undefined ? ['for'] : (OPTIONS_OF[verb] ?? []);
    refuseOthers(verb, tokens, known);
    const work = workOf(verb, what, values);
    await work(openDesk(findTarget(values)), { terminal, json: values.json === true });
    return undefined;
  },
};

const VERBS = ['list', 'show', 'ack', 'mute', 'settings', 'set', 'unset'];
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

/** Which options each verb has beside those of every command; `mute <id>` has the length only. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  list: ['fleet', 'thing', 'state', 'limit'],
  mute: ['fleet', 'thing', 'metric', 'for'],
  settings: ['fleet'],
};

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** What is to be done once the stage is found; wrong words are complained about before. */
type Work = (desk: Desk, output: Output) => Promise<void>;

function workOf(verb: string, what: string | undefined, values: Values): Work {
  if (verb === 'set' || verb === 'unset') return withFile(verb, what);
  if (what === undefined) return withoutId(verb, values);
  if (!ID.test(what)) {
    throw new UsageError(`'${what}' is no id of an anomaly; list shows them: ${ID_SHAPE}.`);
  }
  return withId(verb, what, values);
}

function withFile(verb: 'set' | 'unset', file: string | undefined): Work {
  if (file === undefined) throw new UsageError(`${verb} wants a JSON file; settings prints one.`);
  const settings = readSettingsFile(file);
  const work = verb === 'set' ? setSettings : removeSettings;
  return (desk, output) => work(settings, desk, output);
}

function withId(verb: string, id: string, values: Values): Work {
  if (verb === 'list' || verb === 'settings') {
    throw new UsageError(`${verb} takes options only; show ${id} explains one.`);
  }
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
  if (verb === 'settings') {
    const { fleet } = named('fleet', values.fleet);
    if (fleet === undefined) throw new UsageError('Of which fleet? settings wants --fleet.');
    return (desk, output) => showSettings(fleet, desk, output);
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
  if (metric !== undefined && !isMetricName(metric)) {
    throw new UsageError(`--metric wants the name of a metric, not ${metric}.`);
  }
  const of = { ...named('fleet', fleet), ...named('thing', thing) };
  return { ...of, fleet, ...(metric !== undefined && { metric }) };
}

function named<N extends 'fleet' | 'thing'>(
  option: N,
  name: string | undefined,
): Partial<Record<N, string>> {
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
