import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeThingCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { containThing, releaseThing } from '../shared/adapters/contain-thing.ts';
import { type Containment, containment, type Place } from '../shared/adapters/containment.ts';
import { type IncidentTable, incidentTable } from '../shared/adapters/incident-table.ts';
import { resetBreaker } from '../shared/core/security/budget.ts';
import { DEFAULT_LADDER } from '../shared/core/security/containment.ts';
import type { Action, Incident, Rung } from '../shared/core/security/incident.ts';
import { noticeOf } from '../shared/core/security/notice.ts';
import { type Command, FailedError, type Terminal, UsageError } from './command.ts';
import { findTarget, TARGET_OPTIONS, TARGET_USAGE, type Target } from './target.ts';

const PATIENCE_MS = 30_000;

interface Desk {
  readonly incidents: IncidentTable;
  readonly containment: Containment;
  readonly iot: IoTClient;
  readonly stage: string;
  readonly by: string;
  readonly timeLeft: () => number;
}

/** `npm run incident`: by hand what `defend` does by itself, under the name of who did it. */
export const incident: Command = {
  name: 'incident',
  summary: 'Shows incidents, contains the device of one, or lets it go.',
  usage: `npm run incident -- list|resume
npm run incident -- show|contain|release <id> [options]

  list             the newest first
  show <id>        one, with its evidence and what was done
  contain <id>     contain its device: as far as its cause is answered, or as --rung says
  release <id>     let its device go, and close it
  resume           let automatic containment go on after it was stopped
  --rung <rung>    quarantine: it may connect and read, and not publish; cut-off: it may not connect
  --why <text>     the reason, for the record
${TARGET_USAGE}`,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...TARGET_OPTIONS, rung: { type: 'string' }, why: { type: 'string' } },
    });
    const [verb = 'list', id] = positionals;
    const json = values.json === true;
    if (verb === 'list') return list(openDesk(findTarget(values)), json, terminal);
    if (verb === 'resume') return resume(openDesk(findTarget(values)), terminal);
    if (!['show', 'contain', 'release'].includes(verb)) {
      throw new UsageError(
        `There is no '${verb}'; there are list, show, contain, release, resume.`,
      );
    }
    if (id === undefined || !/^[0-9a-f]{16}$/.test(id)) {
      throw new UsageError(`${verb} wants the id of an incident, 16 hexadecimal digits.`);
    }
    const rung = rungOf(values.rung);
    const desk = openDesk(findTarget(values));
    const why = values.why ?? 'by hand';
    const found = await find(id, desk);
    if (verb === 'show') show(found, json, terminal);
    else if (verb === 'contain') show(await contain(found, rung, why, desk), json, terminal);
    else show(await release(found, why, desk), json, terminal);
    return undefined;
  },
};

function rungOf(text: string | undefined): Exclude<Rung, 'notify'> | undefined {
  if (text === undefined || text === 'quarantine' || text === 'cut-off') return text;
  throw new UsageError(`--rung wants quarantine or cut-off, not ${text}.`);
}

function openDesk({ client, stage }: Target): Desk {
  const tools = {
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    random: Math.random,
  };
  const iot = new IoTClient({ ...client });
  const until = Date.now() + PATIENCE_MS;
  return {
    incidents: incidentTable(
      new DynamoDBClient({ ...client }),
      `tributary-${stage}-incidents`,
      tools,
    ),
    containment: containment(iot, new IoTDataPlaneClient({ ...client }), tools),
    iot,
    stage,
    by: userInfo().username,
    timeLeft: () => until - Date.now(),
  };
}

async function list(desk: Desk, json: boolean, terminal: Terminal): Promise<undefined> {
  const incidents = await desk.incidents.incidents(desk.timeLeft);
  if (json) {
    terminal.out(`${JSON.stringify(incidents)}\n`);
    return;
  }
  for (const { id, state, severity, cause, subject, count, lastAtMs } of incidents) {
    const at = new Date(lastAtMs).toISOString();
    terminal.out(`${id}  ${at}  ${severity}  ${state}  ${cause}  ${subject.name}  ${count}×\n`);
  }
  if (incidents.length === 0) terminal.out('There are no incidents.\n');
}

async function resume(desk: Desk, terminal: Terminal): Promise<undefined> {
  const budget = await desk.incidents.budget(desk.timeLeft);
  if (budget.tripped === undefined) {
    terminal.out('Automatic containment was not stopped.\n');
    return;
  }
  if (!(await desk.incidents.saveBudget(resetBreaker(budget), desk.timeLeft))) {
    throw new FailedError('Containment is being decided upon right now; try again.');
  }
  terminal.out('Automatic containment goes on.\n');
}

async function find(id: string, { incidents, timeLeft }: Desk): Promise<Incident> {
  const found = await incidents.incident(id, timeLeft);
  if (found === undefined) throw new FailedError(`There is no incident ${id}.`);
  return found;
}

function show(found: Incident, json: boolean, terminal: Terminal): void {
  if (json) {
    terminal.out(`${JSON.stringify(found)}\n`);
    return;
  }
  const { subject, body } = noticeOf(found);
  terminal.out(`${subject}\n\n${body}`);
  for (const { atMs, says } of found.evidence) {
    terminal.out(`  ${new Date(atMs).toISOString()}  ${JSON.stringify(says)}\n`);
  }
  for (const { atMs, by, did, why } of found.actions) {
    terminal.out(`  ${new Date(atMs).toISOString()}  ${by}: ${did} (${why})\n`);
  }
}

async function contain(
  found: Incident,
  wanted: Exclude<Rung, 'notify'> | undefined,
  why: string,
  desk: Desk,
): Promise<Incident> {
  const thing = thingOf(found);
  const usual = found.containment?.rung ?? DEFAULT_LADDER[found.cause];
  const rung = wanted ?? (usual === 'cut-off' ? 'cut-off' : 'quarantine');
  const facts = await desk.containment.facts(thing, desk.timeLeft);
  if (facts === undefined) throw new FailedError(`The registry has no thing ${thing}.`);
  const deps = { ...desk, now: Date.now };
  const means = { place: await placeOf(thing, desk), by: desk.by, why };
  const done = await containThing(found, rung, facts.certificates, means, deps, desk.timeLeft);
  if (done.length === 0) throw new FailedError(`Another incident contains ${thing} already.`);
  return record(found, done, desk, { state: 'contained', rung, step: 'done', why });
}

async function release(found: Incident, why: string, desk: Desk): Promise<Incident> {
  const thing = thingOf(found);
  const deps = { ...desk, now: Date.now };
  const means = { place: await placeOf(thing, desk), by: desk.by, why };
  const done = await releaseThing(found, means, deps, desk.timeLeft);
  if (done.length === 0) throw new FailedError(`Incident ${found.id} does not contain ${thing}.`);
  const rung = found.containment?.rung ?? 'notify';
  return record(found, done, desk, { state: 'closed', rung, step: 'released', why });
}

function thingOf({ id, subject }: Incident): string {
  if (subject.kind === 'thing') return subject.name;
  throw new FailedError(`Incident ${id} is about no device.`);
}

async function placeOf(thing: string, { iot, stage }: Desk): Promise<Place> {
  const { thingArn = '' } = await iot.send(new DescribeThingCommand({ thingName: thing }));
  return {
    iot: thingArn.slice(0, thingArn.indexOf(':thing/')),
    quarantinePolicy: `tributary-${stage}-quarantine`,
  };
}

/** What was done is done; so it is written, whoever else writes to the incident meanwhile. */
async function record(
  { id }: Incident,
  actions: readonly Action[],
  desk: Desk,
  {
    state,
    rung,
    step,
    why,
  }: {
    readonly state: 'contained' | 'closed';
    readonly rung: Rung;
    readonly step: 'done' | 'released';
    readonly why: string;
  },
): Promise<Incident> {
  while (desk.timeLeft() > 0) {
    const before = await find(id, desk);
    const after: Incident = {
      ...before,
      state,
      ...(state === 'closed' ? { alarms: [] } : {}),
      containment: { rung, state: step, why },
      actions: [...before.actions, ...actions],
      version: before.version + 1,
    };
    if (await desk.incidents.saveIncident(after, desk.timeLeft)) return after;
  }
  throw new FailedError(`It was done, and incident ${id} could not be written; show it again.`);
}
