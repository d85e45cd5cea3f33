import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { openCodecDesk } from './codec-desk.ts';
import {
  type Command,
  type ExitCode,
  OK,
  type Terminal,
  UsageError,
  wrongVerb,
} from './command.ts';
import { assignDevice } from './lorawan-assign.ts';
import { downlink } from './lorawan-downlink.ts';
import { send } from './lorawan-send.ts';
import { type Asked, checkName, deskOf, tell, type Values } from './lorawan-words.ts';
import { findTarget, refuseOthers, TARGET_OPTIONS, type Target, targetUsage } from './target.ts';

/** The target is looked for only once the words are right. */
type Verb = (find: () => Target, asked: Asked, terminal: Terminal) => Promise<void>;

const VERBS: Readonly<Record<string, Verb>> = { add, list, send, downlink, events };

/** Which options each verb has beside those of every command. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  'add device': ['eui', 'codec', 'profile', 'fleet', 'thing'],
  'add gateway': ['eui', 'rf-region'],
  send: ['fport', 'confirmed', 'gateway', 'rf-region', 'data'],
  downlink: ['fport', 'confirmed', 'data'],
};

const REGIONS = ['EU868', 'US915'];

/** `npm run lorawan`: devices and gateways, and frames without a radio. */
export const lorawan: Command = {
  name: 'lorawan',
  summary: 'Registers LoRaWAN devices and gateways, and sends frames to and from devices.',
  usage: `npm run lorawan -- add device <name> [--eui <16 digits>] [--codec <name> --fleet <name> | --profile <name>]
npm run lorawan -- add gateway <name> [--eui <16 digits>] [--rf-region EU868|US915]
npm run lorawan -- list
npm run lorawan -- send <device> <hex> [--fport <1-223>] [--confirmed]
npm run lorawan -- downlink <device> <hex>|'<json>' [--fport <1-223>] [--confirmed]
npm run lorawan -- events --stage <name>

  add                registers one, with keys or a certificate made here
  list               gateways, and devices with when each was last heard
  send               the device joins and sends, through a simulated gateway of the laptop;
                     one that is not known yet is added first
  downlink           a command, as it is or, from JSON, encoded by the device's codec
  events             lets AWS tell of joins and gateways, for the whole account

  --eui <digits>     its DevEUI or gateway EUI (one for local use)
  --codec <name>     what decodes it: a codec[@version], or cayenne-lpp, cbor, json
  --profile <name>   the profile whose assignment it goes by
  --fleet <name>     the fleet it is of
  --thing <name>     its name in readings (its own)
  --rf-region <name> where the gateway is (EU868)
  --data <json>      the command; send with it is downlink
  --fport <n>        the port (2, or what the codec says)
  --confirmed        wants an acknowledgement
  --gateway <name>   the simulated gateway that hears it (one of its own)
${targetUsage(21)}`,
  async run(args, terminal): Promise<ExitCode> {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: {
        ...TARGET_OPTIONS,
        eui: { type: 'string' },
        'rf-region': { type: 'string', default: 'EU868' },
        fport: { type: 'string' },
        data: { type: 'string' },
        codec: { type: 'string' },
        profile: { type: 'string' },
        fleet: { type: 'string' },
        thing: { type: 'string' },
        confirmed: { type: 'boolean', default: false },
        gateway: { type: 'string' },
      },
    });
    const [verb = '', ...words] = positionals;
    const run = VERBS[verb];
    if (run === undefined) throw wrongVerb(verb, Object.keys(VERBS));
    const { eui, 'rf-region': rfRegion } = values;
    if (!REGIONS.includes(rfRegion))
      throw new UsageError(`--rf-region is ${REGIONS.join(' or ')}, not ${rfRegion}.`);
    if (eui !== undefined && !/^[0-9a-f]{16}$/i.test(eui))
      throw new UsageError(`--eui has 16 hexadecimal digits, not '${eui}'.`);
    const named = verb === 'add' ? `add ${words[0]}` : verb;
    refuseOthers(named, tokens, OPTIONS_OF[named]);
    await run(() => findTarget(values), { words, values }, terminal);
    return OK;
  },
};

async function add(
  find: () => Target,
  { words, values }: Asked,
  terminal: Terminal,
): Promise<void> {
  const [kind = '', name = ''] = words;
  if (kind !== 'device' && kind !== 'gateway')
    throw new UsageError(`What is to be added: a device or a gateway, not '${kind}'?`);
  checkName(name);
  if (kind === 'device') await addDevice(find, name, values, terminal);
  else await addGateway(find, name, values, terminal);
}

async function addDevice(
  find: () => Target,
  name: string,
  values: Values,
  terminal: Terminal,
): Promise<void> {
  const { codec, profile, fleet, thing = name } = values;
  checkName(thing);
  if (codec !== undefined && fleet === undefined)
    throw new UsageError('Which fleet is the device of? Name it with --fleet.');
  const target = find();
  const codecs = openCodecDesk(new DynamoDBClient({ ...target.client }), target.stage, Date.now);
  if (codec !== undefined) await codecs.choice(codec); // before there is a device without one
  const { identity, wirelessDeviceId, file } = await deskOf(target).addDevice(
    name,
    values.eui?.toLowerCase(),
  );
  const { devEui, joinEui } = identity;
  const isAssigned = codec !== undefined || profile !== undefined;
  if (isAssigned) await assignDevice(codecs, devEui, { thing, codec, profile, fleet });
  const told = { name, wirelessDeviceId, devEui, joinEui, file, ...(isAssigned && { thing }) };
  const belongs = isAssigned
    ? `its readings are those of ${thing}, by ${codec ?? `the profile ${profile}`}`
    : `assign it, where nothing else does: npm run codec -- assign <codec> --device ${devEui} --fleet <fleet>`;
  tell(
    terminal,
    values,
    told,
    `${name}: DevEUI ${devEui}, JoinEUI ${joinEui}, ${wirelessDeviceId}\n  its AppKey is in ${file}\n  ${belongs}`,
  );
}

async function addGateway(
  find: () => Target,
  name: string,
  values: Values,
  terminal: Terminal,
): Promise<void> {
  const desk = deskOf(find());
  const { gateway } = await desk.addGateway(name, values['rf-region'], values.eui?.toLowerCase());
  const folder = await desk.writeStation(name, gateway);
  const { 'rf-region': rfRegion } = values;
  const told = { name, eui: gateway.eui, rfRegion, folder };
  tell(
    terminal,
    values,
    told,
    `${name}: gateway ${gateway.eui}, ${rfRegion}\n  LoRa Basics Station finds tc.uri, tc.trust, tc.crt and tc.key in ${folder}`,
  );
}

async function list(find: () => Target, { values }: Asked, terminal: Terminal): Promise<void> {
  const desk = deskOf(find());
  const [devices, gateways] = await Promise.all([desk.devices(), desk.gateways()]);
  const lines = [
    ...gateways.map(({ name, eui, region }) => `gateway  ${name.padEnd(20)}  ${eui}  ${region}`),
    ...devices.map(
      ({ name, devEui, lastUplinkAt }) =>
        `device   ${name.padEnd(20)}  ${devEui}  ${lastUplinkAt || 'not heard yet'}`,
    ),
  ];
  tell(terminal, values, { devices, gateways }, lines.join('\n') || 'No devices and no gateways.');
}

async function events(find: () => Target, { values }: Asked, terminal: Terminal): Promise<void> {
  const target = find();
  const isLaptop = target.kind === 'laptop';
  if (!isLaptop) await deskOf(target).tellEvents();
  const told = isLaptop
    ? 'The laptop tells of them always.'
    : 'AWS tells of joins, and of gateways that come and go, from now on.';
  tell(terminal, values, { join: 'Enabled', connectionStatus: 'Enabled' }, told);
}
