import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createLorawanDevice, type Received } from '../local/fleet/lorawan-device.ts';
import { nonceCounter } from '../local/fleet/lorawan-fleet.ts';
import { connectStation, type Hearing, type Station } from '../local/fleet/lorawan-station.ts';
import { NAME } from '../shared/core/names.ts';
import {
  type Command,
  type ExitCode,
  FailedError,
  OK,
  type Terminal,
  UsageError,
} from './command.ts';
import { openLorawanDesk, stationOf } from './lorawan-desk.ts';
import { findTarget, TARGET_OPTIONS, TARGET_USAGE, type Target } from './target.ts';

interface Values {
  readonly eui?: string | undefined;
  readonly region: string;
  readonly fport: string;
  readonly confirmed: boolean;
  readonly gateway: string;
  readonly json?: boolean | undefined;
}
type Asked = { readonly words: readonly string[]; readonly values: Values };
/** The target is looked for only once the words are right. */
type Verb = (find: () => Target, asked: Asked, terminal: Terminal) => Promise<void>;

const VERBS: Readonly<Record<string, Verb>> = { add, list, send, downlink };

/** The gateway that `send` is heard by, made when it is first needed. */
const OWN_GATEWAY = 'simulated';
const REGIONS = ['EU868', 'US915'];

/** `npm run lorawan`: devices and gateways, and frames without a radio. */
export const lorawan: Command = {
  name: 'lorawan',
  summary: 'Registers LoRaWAN devices and gateways, and sends frames to and from devices.',
  usage: `npm run lorawan -- add device <name> [--eui <16 digits>]
npm run lorawan -- add gateway <name> [--eui <16 digits>] [--region EU868|US915]
npm run lorawan -- list
npm run lorawan -- send <device> <hex> [--fport <1-223>] [--confirmed]       joins and sends, through a simulated gateway of the laptop
npm run lorawan -- downlink <device> <hex> [--fport <1-223>] [--confirmed]   waits for the device's next uplink

  --eui <digits>    its DevEUI or gateway EUI (one for local use)
  --region <name>   where the gateway is (EU868)
  --fport <n>       the port (2)
  --confirmed       wants an acknowledgement
  --gateway <name>  the simulated gateway (${OWN_GATEWAY})
${TARGET_USAGE}`,
  async run(args, terminal): Promise<ExitCode> {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...TARGET_OPTIONS,
        eui: { type: 'string' },
        region: { type: 'string', default: 'EU868' },
        fport: { type: 'string', default: '2' },
        confirmed: { type: 'boolean', default: false },
        gateway: { type: 'string', default: OWN_GATEWAY },
      },
    });
    const [verb = '', ...words] = positionals;
    const run = VERBS[verb];
    if (run === undefined)
      throw new UsageError(`What is to be done with LoRaWAN: ${Object.keys(VERBS).join(', ')}?`);
    if (!REGIONS.includes(values.region))
      throw new UsageError(`--region is ${REGIONS.join(' or ')}, not ${values.region}.`);
    if (values.eui !== undefined && !/^[0-9a-f]{16}$/i.test(values.eui))
      throw new UsageError(`--eui has 16 hexadecimal digits, not '${values.eui}'.`);
    await run(() => findTarget(values), { words, values }, terminal);
    return OK;
  },
};

/** Beside the devices of the laptop that runs, or in the folder of this project for AWS. */
export const lorawanDirectory = (devicesDirectory = join('.tributary', 'devices')): string =>
  join(dirname(devicesDirectory), 'lorawan');

const deskOf = (target: Target) =>
  openLorawanDesk(target, lorawanDirectory(target.laptop?.devicesDirectory));

async function add(
  find: () => Target,
  { words, values }: Asked,
  terminal: Terminal,
): Promise<void> {
  const [kind = '', name = ''] = words;
  if (kind !== 'device' && kind !== 'gateway')
    throw new UsageError(`What is to be added: a device or a gateway, not '${kind}'?`);
  checkName(name);
  const eui = values.eui?.toLowerCase();
  const desk = deskOf(find());
  if (kind === 'device') {
    const { identity, wirelessDeviceId, file } = await desk.addDevice(name, eui);
    const { devEui, joinEui } = identity;
    const told = { name, wirelessDeviceId, devEui, joinEui, file };
    tell(
      terminal,
      values,
      told,
      `${name}: DevEUI ${devEui}, JoinEUI ${joinEui}, ${wirelessDeviceId}\n  its AppKey is in ${file}`,
    );
    return;
  }
  const { gateway, file } = await desk.addGateway(name, values.region, eui);
  const told = { name, eui: gateway.eui, region: values.region, file };
  tell(
    terminal,
    values,
    told,
    `${name}: gateway ${gateway.eui}, ${values.region}\n  its certificate and key are in ${file}`,
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

async function downlink(find: () => Target, asked: Asked, terminal: Terminal): Promise<void> {
  const { name, payload, fPort } = frameOf(asked);
  const desk = deskOf(find());
  const device = (await desk.devices()).find((known) => known.name === name);
  if (device === undefined) throw new FailedError(`There is no LoRaWAN device ${name}.`);
  const messageId = await desk.queue(device.id, fPort, payload, asked.values.confirmed);
  tell(
    terminal,
    asked.values,
    { name, messageId },
    `${messageId} goes out after the next uplink of ${name}.`,
  );
}

async function send(find: () => Target, asked: Asked, terminal: Terminal): Promise<void> {
  const { name, payload, fPort } = frameOf(asked);
  const target = find();
  if (target.kind !== 'laptop')
    throw new FailedError('Frames are simulated on the laptop only; AWS hears real gateways.');
  const { values } = asked;
  const desk = deskOf(target);
  const { identity } = await desk.addDevice(name);
  const { gateway } = await desk.addGateway(values.gateway, values.region);
  const endpoint = await desk.endpoint();
  const device = createLorawanDevice(identity, nonceCounter(Date.now()));
  const inbox: Buffer[] = [];
  const station = await connectStation(stationOf(gateway, endpoint), endpoint.url, (bytes) =>
    inbox.push(bytes),
  );
  try {
    station.hear(device.joinRequest(), HEARING);
    const accept = await downlinkWithin(inbox, JOIN_MS);
    if (accept === undefined)
      throw new FailedError(`${name} was not let in; the laptop's log says why.`);
    device.acceptJoin(accept);
    const answer = await sendFrame(station, inbox, () =>
      device.uplink(fPort, payload, values.confirmed),
    );
    const received = answer && device.receive(answer);
    const told = { name, fPort, payload: payload.toString('hex'), received: shown(received) };
    const heard =
      received === undefined ? '' : `\n  it answered: ${JSON.stringify(shown(received))}`;
    tell(
      terminal,
      values,
      told,
      `${name} has joined and sent ${payload.length} bytes on port ${fPort}.${heard}`,
    );
  } finally {
    await station.stop();
  }
}

const HEARING: Hearing = { dataRate: 5, frequencyHz: 868_100_000, rssi: -71, snr: 8.25 };
const JOIN_MS = 3000;
const ANSWER_MS = 1000;
const LOOK_MS = 20;

async function sendFrame(
  station: Station,
  inbox: Buffer[],
  frame: () => Buffer,
): Promise<Buffer | undefined> {
  station.hear(frame(), HEARING);
  return await downlinkWithin(inbox, ANSWER_MS);
}

async function downlinkWithin(inbox: Buffer[], ms: number): Promise<Buffer | undefined> {
  for (let waited = 0; waited < ms && inbox.length === 0; waited += LOOK_MS) await delay(LOOK_MS);
  return inbox.shift();
}

const shown = (received: Received | undefined) =>
  received && { ...received, payload: received.payload.toString('hex') };

function frameOf({ words, values }: Asked) {
  const [name = '', hex = ''] = words;
  checkName(name);
  if (!/^(?:[0-9a-f]{2}){1,242}$/i.test(hex))
    throw new UsageError(`the payload is 1 to 242 bytes in hexadecimal digits, not '${hex}'.`);
  const fPort = Number(values.fport);
  if (!Number.isInteger(fPort) || fPort < 1 || fPort > 223)
    throw new UsageError(`--fport wants a whole number from 1 to 223, not ${values.fport}.`);
  return { name, fPort, payload: Buffer.from(hex, 'hex') };
}

function checkName(name: string): void {
  if (!NAME.test(name))
    throw new UsageError(`a name has 1 to 64 of A-Z a-z 0-9 _ and -, not '${name}'.`);
}

function tell(terminal: Terminal, { json }: Values, data: object, text: string): void {
  terminal.out(json ? `${JSON.stringify(data)}\n` : `${text}\n`);
}
