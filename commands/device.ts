import { parseArgs } from 'node:util';
import { IoTClient } from '@aws-sdk/client-iot';
import { writeDeviceFiles } from '../local/boot/devices.ts';
import { NAME } from '../shared/core/names.ts';
import { type Command, type ExitCode, OK, type Terminal, UsageError } from './command.ts';
import { openDeviceDesk } from './device-desk.ts';
import { findTarget, TARGET_OPTIONS, TARGET_USAGE, type Target } from './target.ts';

const DEVICES_DIRECTORY = '.tributary/devices';

type Values = { readonly fleet: string; readonly json?: boolean | undefined };
type Verb = (target: Target, thing: string, values: Values, terminal: Terminal) => Promise<void>;

const VERBS: Readonly<Record<string, Verb>> = { add, list, revoke };

/** `npm run device -- add|list|revoke <thing>`: devices of the laptop, or of a stage on AWS. */
export const device: Command = {
  name: 'device',
  summary: 'Makes, lists and revokes devices: thing, certificate and policy.',
  usage: `npm run device -- add <thing> [--fleet <name>]   a thing and a certificate, whose key is made here
npm run device -- list                         things, their fleets and certificates
npm run device -- revoke <thing>               its certificates become REVOKED

  --fleet <name>   the fleet of a new device (demo)
${TARGET_USAGE}`,
  async run(args, terminal): Promise<ExitCode> {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...TARGET_OPTIONS, fleet: { type: 'string', default: 'demo' } },
    });
    const [verb = '', thing = ''] = positionals;
    const run = VERBS[verb];
    if (run === undefined)
      throw new UsageError(`What is to be done with devices: ${Object.keys(VERBS).join(', ')}?`);
    if (verb !== 'list') checkName('a thing', thing);
    checkName('a fleet', values.fleet);
    await run(findTarget(values), thing, values, terminal);
    return OK;
  },
};

function checkName(what: string, name: string): void {
  if (!NAME.test(name))
    throw new UsageError(`${what} is named with 1 to 64 of A-Z a-z 0-9 _ and -, not '${name}'.`);
}

const deskOf = ({ client, stage }: Target) => openDeviceDesk(new IoTClient({ ...client }), stage);

async function add(
  target: Target,
  thing: string,
  { fleet, json }: Values,
  terminal: Terminal,
): Promise<void> {
  const made = await deskOf(target).add(thing, fleet);
  const directory = target.laptop?.devicesDirectory ?? DEVICES_DIRECTORY;
  const files = writeDeviceFiles(directory, thing, made);
  const { certificateId } = made;
  if (json) terminal.out(`${JSON.stringify({ thing, fleet, certificateId, ...files })}\n`);
  else
    terminal.out(
      `${thing} of fleet ${fleet}: certificate ${certificateId}\n  ${files.certificateFile}\n  ${files.keyFile}\n`,
    );
}

async function list(
  target: Target,
  _thing: string,
  { json }: Values,
  terminal: Terminal,
): Promise<void> {
  const devices = await deskOf(target).list();
  if (json) terminal.out(`${JSON.stringify(devices)}\n`);
  else
    for (const { thing, fleet, certificates } of devices) {
      const shown = certificates.map(
        ({ certificateId, status }) => `${certificateId.slice(0, 12)}… ${status}`,
      );
      terminal.out(
        `${thing.padEnd(24)}  ${fleet.padEnd(16)}  ${shown.join(', ') || 'no certificate'}\n`,
      );
    }
}

async function revoke(
  target: Target,
  thing: string,
  { json }: Values,
  terminal: Terminal,
): Promise<void> {
  const revoked = await deskOf(target).revoke(thing);
  if (json) terminal.out(`${JSON.stringify({ thing, revoked })}\n`);
  else
    terminal.out(
      `${thing}: ${revoked.length} certificate${revoked.length === 1 ? '' : 's'} revoked; its connections end.\n`,
    );
}
