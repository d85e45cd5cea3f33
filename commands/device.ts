import { parseArgs } from 'node:util';
import { keepPrevious, writeDeviceFiles } from '../local/boot/devices.ts';
import { NAME } from '../shared/core/names.ts';
import {
  type Command,
  type ExitCode,
  OK,
  type Terminal,
  UsageError,
  wrongVerb,
} from './command.ts';
import { openDeviceLife } from './device-life.ts';
import { findTarget, refuseOthers, TARGET_OPTIONS, type Target, targetUsage } from './target.ts';

const DEVICES_DIRECTORY = '.tributary/devices';
const DAY_MS = 86_400_000;

interface Values {
  readonly fleet?: string | undefined;
  readonly thing?: string | undefined;
  readonly days?: string | undefined;
  readonly id?: string | undefined;
  readonly json?: boolean | undefined;
}

/** What a verb found out: as data, and in words. */
interface Told {
  readonly data: object;
  readonly text: string;
}
type Life = ReturnType<typeof openDeviceLife>;
/** Checks the words; only then is there a target, and something done. */
type Verb = (
  words: readonly string[],
  values: Values,
) => (life: Life, target: Target) => Promise<Told>;

const VERBS: Readonly<Record<string, Verb>> = { add, list, rotate, revoke, secret, enrol };

/** Which options each verb has beside those of every command; others are refused, not ignored. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  add: ['fleet'],
  'secret issue': ['fleet', 'days'],
  'secret revoke': ['id'],
  enrol: ['fleet', 'thing'],
};

/** `npm run device`: devices of the laptop, or of a stage on AWS, from the first certificate to the last. */
export const device: Command = {
  name: 'device',
  summary: 'Makes, rotates, lists and revokes what devices show: certificates and secrets.',
  usage: `npm run device -- add <thing> [--fleet <name>]
npm run device -- list
npm run device -- rotate|revoke <thing>
npm run device -- secret issue <thing> [--fleet <name>] [--days <n>]
npm run device -- secret list <thing>
npm run device -- secret revoke <thing> [--id <id>]
npm run device -- enrol <serial> --thing <thing> --fleet <name>

  add              a thing and a certificate, whose key is made here
  list             things, their fleets and certificates
  rotate           the next certificate; the one before ends once the device has connected with it
  revoke           its certificates and secrets are refused from now on, and its session ends
  secret issue     a secret for a device without certificate, shown once
  secret list      its secrets, without themselves
  secret revoke    all of them, or one
  enrol            expects a device that claims its certificate

  --fleet <name>   the fleet of a new device (demo)
  --days <n>       how long a secret is good for, 1 to 3650 (until it is revoked)
  --id <id>        the secret that is meant
  --thing <name>   who the device with that serial number will be
${targetUsage()}`,
  async run(args, terminal): Promise<ExitCode> {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: {
        ...TARGET_OPTIONS,
        fleet: { type: 'string' },
        thing: { type: 'string' },
        days: { type: 'string' },
        id: { type: 'string' },
      },
    });
    const [verb = '', ...words] = positionals;
    const begin = VERBS[verb];
    if (begin === undefined) throw wrongVerb(verb, Object.keys(VERBS));
    if (values.fleet !== undefined) checkName('a fleet', values.fleet);
    const act = begin(words, values);
    const named = verb === 'secret' ? `secret ${words[0]}` : verb;
    refuseOthers(named, tokens, OPTIONS[named]);
    const target = findTarget(values);
    tell(await act(openDeviceLife(target), target), values.json === true, terminal);
    return OK;
  },
};

function tell({ data, text }: Told, json: boolean, terminal: Terminal): void {
  terminal.out(json ? `${JSON.stringify(data)}\n` : text);
}

function checkName(what: string, name = ''): string {
  if (NAME.test(name)) return name;
  throw new UsageError(`${what} is named with 1 to 64 of A-Z a-z 0-9 _ and -, not '${name}'.`);
}

/** The name of a thing, and nothing behind it. */
function onlyThing([thing, ...others]: readonly string[]): string {
  const [extra] = others;
  if (extra !== undefined) throw new UsageError(`What is '${extra}'? One thing is named.`);
  return checkName('a thing', thing);
}

const directoryOf = ({ laptop }: Target): string => laptop?.devicesDirectory ?? DEVICES_DIRECTORY;

function add(words: readonly string[], { fleet: wanted }: Values) {
  const thing = onlyThing(words);
  return async (life: Life, target: Target): Promise<Told> => {
    const directory = directoryOf(target);
    const keep = writing(directory, thing);
    const { fleet, certificateId } = await life.add(thing, wanted, keep.write);
    const files = keep.files();
    return {
      data: { thing, fleet, certificateId, ...files },
      text: `${thing} of fleet ${fleet}: certificate ${certificateId}\n  ${files.certificateFile}\n  ${files.keyFile}\n`,
    };
  };
}

function rotate(words: readonly string[]) {
  const thing = onlyThing(words);
  return async (life: Life, target: Target): Promise<Told> => {
    const keep = writing(directoryOf(target), thing);
    const { fleet, certificateId, replaces } = await life.rotate(thing, keep.write);
    const files = keep.files();
    const before =
      files.previous === undefined ? '' : `  before: ${files.previous.certificateFile}\n`;
    return {
      data: { thing, fleet, certificateId, replaces, ...files },
      text: `${thing} of fleet ${fleet}: certificate ${certificateId}\n  ${files.certificateFile}\n  ${files.keyFile}\n${before}Both work until the device has connected with the new one over MQTT or WSS; then the other is INACTIVE.\n`,
    };
  };
}

/** Files of a certificate just made; what was there before stays beside them. */
function writing(directory: string, thing: string) {
  let files: ReturnType<typeof writeDeviceFiles> | undefined;
  let previous: ReturnType<typeof keepPrevious>;
  return {
    write: (made: Parameters<typeof writeDeviceFiles>[2]): void => {
      previous = keepPrevious(directory, thing);
      files = writeDeviceFiles(directory, thing, made);
    },
    files: () => {
      if (files === undefined) throw new Error(`nothing was written for ${thing}`);
      return { ...files, ...(previous !== undefined && { previous }) };
    },
  };
}

function list(words: readonly string[]) {
  const [extra] = words;
  if (extra !== undefined) throw new UsageError(`What is '${extra}'? \`list\` lists all things.`);
  return async (life: Life): Promise<Told> => {
    const devices = await life.list();
    const lines = devices.map(({ thing, fleet, certificates, rotatesTo }) => {
      const shown = certificates.map(({ certificateId, status }) => {
        const waits = certificateId === rotatesTo ? ', waits for its first connection' : '';
        return `${certificateId.slice(0, 12)}… ${status}${waits}`;
      });
      return `${thing.padEnd(24)}  ${fleet.padEnd(16)}  ${shown.join(', ') || 'no certificate'}\n`;
    });
    return { data: devices, text: lines.join('') };
  };
}

function revoke(words: readonly string[]) {
  const thing = onlyThing(words);
  return async (life: Life): Promise<Told> => {
    const { certificates, secrets, sessionEnded } = await life.revoke(thing);
    return {
      data: { thing, revoked: certificates, secrets, sessionEnded },
      text: `${thing}: ${count(certificates, 'certificate')} and ${count(secrets, 'secret')} revoked${sessionPart(sessionEnded)}. Tokens that somebody else issued for it are theirs to revoke.\n`,
    };
  };
}

const count = ({ length }: readonly string[], what: string): string =>
  `${length} ${what}${length === 1 ? '' : 's'}`;

const sessionPart = (ended: boolean): string =>
  ended ? ', its session ended' : ', it had no session';

const SECRET_VERBS: Readonly<Record<string, Verb>> = {
  issue: issueSecret,
  list: listSecrets,
  revoke: revokeSecrets,
};

function secret([verb = '', ...words]: readonly string[], values: Values) {
  const begin = SECRET_VERBS[verb];
  if (begin !== undefined) return begin(words, values);
  throw wrongVerb(
    verb,
    Object.keys(SECRET_VERBS).map((name) => `secret ${name}`),
  );
}

function issueSecret(words: readonly string[], { fleet: wanted, days }: Values) {
  const thing = onlyThing(words);
  const lifeMs = days === undefined ? undefined : wholeDays(days) * DAY_MS;
  return async (life: Life, { stage }: Target): Promise<Told> => {
    const expiresAtMs = lifeMs === undefined ? undefined : Date.now() + lifeMs;
    const { fleet, id, secret: text } = await life.issueSecret(thing, wanted, expiresAtMs);
    const end = expiresAtMs === undefined ? '' : `, until ${new Date(expiresAtMs).toISOString()}`;
    return {
      data: { thing, fleet, id, secret: text, ...(expiresAtMs !== undefined && { expiresAtMs }) },
      text: `Secret ${id} of ${thing}, fleet ${fleet}${end}. It is shown this once and kept nowhere:\n\n  ${text}\n\nThe device shows it to the authorizer tributary-${stage}-password: as MQTT password, or under the name token.\n`,
    };
  };
}

function wholeDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,4}$/.test(text) && days >= 1 && days <= 3650) return days;
  throw new UsageError(`--days wants a whole number from 1 to 3650, not ${text}.`);
}

function listSecrets(words: readonly string[]) {
  const thing = onlyThing(words);
  return async (life: Life): Promise<Told> => {
    const secrets = (await life.listSecrets(thing)).map(
      ({ id, status, createdAtMs, expiresAtMs }) => ({ id, status, createdAtMs, expiresAtMs }),
    );
    const lines = secrets.map(({ id, status, createdAtMs, expiresAtMs }) => {
      const since = new Date(createdAtMs).toISOString();
      const end = expiresAtMs === undefined ? '' : ` until ${new Date(expiresAtMs).toISOString()}`;
      return `${id}  ${status.padEnd(7)}  since ${since}${end}\n`;
    });
    return { data: secrets, text: lines.join('') || `${thing} has no secrets.\n` };
  };
}

function revokeSecrets(words: readonly string[], { id }: Values) {
  const thing = onlyThing(words);
  if (id !== undefined && !/^[A-Za-z0-9_-]{22}$/.test(id)) {
    throw new UsageError(
      '--id wants the 22 characters that `secret list` shows. Not the secret itself: a command line can be read by others.',
    );
  }
  return async (life: Life): Promise<Told> => {
    const { secrets, sessionEnded } = await life.revokeSecrets(thing, id);
    return {
      data: { thing, secrets, sessionEnded },
      text: `${thing}: ${count(secrets, 'secret')} revoked${sessionPart(sessionEnded)}. It is refused from now on; an HTTPS connection that is kept open may publish until its next refresh (refreshSeconds of the stage, 300 unless told).\n`,
    };
  };
}

function enrol([serial, ...others]: readonly string[], values: Values) {
  const [extra] = others;
  if (extra !== undefined) throw new UsageError(`What is '${extra}'? One serial number is named.`);
  const number = checkName('a serial number', serial);
  const thing = checkName('--thing: a thing', values.thing);
  const fleet = checkName('--fleet: a fleet', values.fleet);
  return async (life: Life): Promise<Told> => {
    await life.enrol(number, thing, fleet);
    return {
      data: { serial: number, thing, fleet },
      text: `${number} is expected: it will be ${thing} of fleet ${fleet}, once.\n`,
    };
  };
}
