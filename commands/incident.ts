import { parseArgs } from 'node:util';
import type { Incident, Rung } from '../shared/core/security/incident.ts';
import { noticeOf } from '../shared/core/security/notice.ts';
import { type Command, FAILED, type Terminal, UsageError, wrongVerb } from './command.ts';
import { type IncidentDesk, openIncidentDesk } from './incident-desk.ts';
import { findTarget, refuseOthers, TARGET_OPTIONS, targetUsage } from './target.ts';

interface Asked {
  readonly rung: Exclude<Rung, 'notify'> | undefined;
  readonly why: string;
  readonly json: boolean;
}

type Verb = (
  found: Incident,
  asked: Asked,
  desk: IncidentDesk,
  terminal: Terminal,
) => Promise<void>;

const VERBS: Readonly<Record<string, Verb>> = {
  show,
  contain: async (found, asked, desk, terminal) =>
    show(await desk.contain(found, asked.rung, asked.why), asked, desk, terminal),
  release,
  close: async (found, asked, desk, terminal) =>
    show(await desk.close(found, asked.why), asked, desk, terminal),
};

/** Of no incident by its id. */
const PLAIN_VERBS: readonly string[] = ['list', 'resume', 'why'];

/** Which options each verb has beside those of every command. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  contain: ['rung', 'why'],
  release: ['why'],
  close: ['why'],
};

/** `npm run incident`: by hand what `defend` does by itself, under the name of who did it. */
export const incident: Command = {
  name: 'incident',
  summary: 'Shows incidents, contains the device of one, or lets it go.',
  usage: `npm run incident -- list|resume
npm run incident -- why <thing>
npm run incident -- show|contain|release|close <id> [options]

  list             the newest first
  why <thing>      which incidents hold a device, and how far it is refused because of them
  show <id>        one, with its evidence and what was done
  contain <id>     contain its device: as far as its cause is answered, or as --rung says
  release <id>     let its device go, and close it
  close <id>       close one that contains nothing: somebody has looked
  resume           let automatic containment go on after it was stopped
  --rung <rung>    quarantine: it may connect and read, and not publish; cut-off: it may not connect
  --why <text>     the reason, for the record
${targetUsage()}`,
  async run(args, terminal) {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: { ...TARGET_OPTIONS, rung: { type: 'string' }, why: { type: 'string' } },
    });
    const [verb = 'list', name, ...more] = positionals;
    const run = VERBS[verb];
    if (run === undefined && !PLAIN_VERBS.includes(verb))
      throw wrongVerb(verb, [...PLAIN_VERBS, ...Object.keys(VERBS)]);
    if (more.length > 0) throw new UsageError(`One at a time, so what is '${more.join(' ')}'?`);
    if (name !== undefined && (verb === 'list' || verb === 'resume'))
      throw new UsageError(`${verb} takes options only, not '${name}'.`);
    refuseOthers(verb, tokens, OPTIONS_OF[verb]);
    const asked: Asked = {
      rung: rungOf(values.rung),
      why: values.why ?? 'by hand',
      json: values.json === true,
    };
    const open = () => openIncidentDesk(findTarget(values));
    if (verb === 'list') return list(open(), asked, terminal);
    if (verb === 'resume') return resume(open(), asked, terminal);
    if (verb === 'why') return why(name, open(), asked, terminal);
    if (run === undefined || name === undefined || !/^[0-9a-f]{16}$/.test(name)) {
      throw new UsageError(`${verb} wants the id of an incident, 16 hexadecimal digits.`);
    }
    const desk = open();
    await run(await desk.find(name), asked, desk, terminal);
    return undefined;
  },
};

function rungOf(text: string | undefined): Exclude<Rung, 'notify'> | undefined {
  if (text === undefined || text === 'quarantine' || text === 'cut-off') return text;
  throw new UsageError(`--rung wants quarantine or cut-off, not ${text}.`);
}

async function list(desk: IncidentDesk, { json }: Asked, terminal: Terminal): Promise<undefined> {
  const incidents = await desk.list();
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

async function resume(desk: IncidentDesk, { json }: Asked, terminal: Terminal): Promise<undefined> {
  const resumed = await desk.resume();
  const says = `Automatic containment ${resumed ? 'goes on' : 'was not stopped'}.`;
  terminal.out(`${json ? JSON.stringify({ resumed }) : says}\n`);
}

/** @returns failure where nobody holds the thing: its refusals have another reason */
async function why(
  thing: string | undefined,
  desk: IncidentDesk,
  { json }: Asked,
  terminal: Terminal,
) {
  if (thing === undefined) throw new UsageError('why wants the name of a thing.');
  const denial = await desk.denial(thing);
  if (json) terminal.out(`${JSON.stringify(denial ?? null)}\n`);
  else if (denial === undefined) terminal.out(`No incident holds ${thing}.\n`);
  else {
    terminal.out(`${thing} is refused: ${denial.rung}.\n`);
    for (const { incidentId, rung, cause, by, atMs } of denial.holders) {
      const at = new Date(atMs).toISOString();
      terminal.out(`  incident ${incidentId}: ${cause}, ${rung} by ${by} at ${at}\n`);
      terminal.out(`    npm run incident -- release ${incidentId}\n`);
    }
  }
  return denial === undefined ? FAILED : undefined;
}

async function show(
  found: Incident,
  { json }: Asked,
  desk: IncidentDesk,
  terminal: Terminal,
): Promise<void> {
  if (json) {
    terminal.out(`${JSON.stringify(found)}\n`);
    return;
  }
  const { subject, body } = noticeOf(found);
  terminal.out(`${subject}\n\n${body}`);
  const affected = await desk.affected(found);
  if (affected !== undefined) {
    const { things, notifications } = affected;
    terminal.out(`  It stands for ${things} devices and ${notifications} notifications.\n`);
  }
  for (const { atMs, says } of found.evidence) {
    terminal.out(`  ${new Date(atMs).toISOString()}  ${JSON.stringify(says)}\n`);
  }
  for (const { atMs, by, did, why } of found.actions) {
    terminal.out(`  ${new Date(atMs).toISOString()}  ${by}: ${did} (${why})\n`);
  }
}

async function release(
  found: Incident,
  asked: Asked,
  desk: IncidentDesk,
  terminal: Terminal,
): Promise<void> {
  const { incident: after, denial } = await desk.release(found, asked.why);
  await show(after, asked, desk, terminal);
  if (denial === undefined || asked.json) return;
  const others = denial.holders.map(({ incidentId }) => incidentId);
  terminal.out(
    `${denial.thing} is still refused (${denial.rung}), because of incident ${others.join(', ')}.\n`,
  );
}
