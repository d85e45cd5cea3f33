import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { CodecFault } from '../shared/codec-runtime/codec-fault.ts';
import { CodecRuntime } from '../shared/codec-runtime/codec-runtime.ts';
import { readEngine } from '../shared/codec-runtime/engine-file.ts';
import { RejectedError } from '../shared/core/errors.ts';
import {
  type Assignment,
  type Choice,
  CodecName,
  type DeviceEntry,
  ENCRYPTIONS,
  Eui,
} from '../shared/core/lorawan/assignment.ts';
import type { CodecPointer } from '../shared/core/lorawan/codec-version.ts';
import { isFormat } from '../shared/core/lorawan/formats/index.ts';
import { NAME } from '../shared/core/names.ts';
import type { Reading } from '../shared/core/reading.ts';
import { openCodecDesk, type Selector } from './codec-desk.ts';
import { type CodecFiles, readCodec } from './codec-files.ts';
import { redecode } from './codec-redecode.ts';
import { checkVectors, type Outcome, type Tried, tryCodec } from './codec-vectors.ts';
import {
  type Command,
  type ExitCode,
  FAILED,
  FailedError,
  OK,
  type Terminal,
  UsageError,
  wrongVerb,
} from './command.ts';
import { openReadSide } from './readings.ts';
import { findTarget, refuseOthers, TARGET_OPTIONS, targetUsage } from './target.ts';

const OPTIONS = {
  ...TARGET_OPTIONS,
  name: { type: 'string' },
  vectors: { type: 'string' },
  payload: { type: 'string' },
  port: { type: 'string' },
  canary: { type: 'string' },
  device: { type: 'string' },
  profile: { type: 'string' },
  'join-eui': { type: 'string' },
  range: { type: 'string' },
  all: { type: 'boolean' },
  fleet: { type: 'string' },
  thing: { type: 'string' },
  encryption: { type: 'string' },
  purpose: { type: 'string', default: 'envelope' },
  'key-file': { type: 'string' },
  with: { type: 'string' },
  hours: { type: 'string', default: '24' },
  limit: { type: 'string', default: '100' },
} as const;

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], allowPositionals: true, tokens: true, options: OPTIONS });
type Values = ReturnType<typeof parse>['values'];
type Verb = (
  words: readonly string[],
  values: Values,
  terminal: Terminal,
) => Promise<ExitCode> | ExitCode;

const VERBS: Readonly<Record<string, Verb>> = {
  test,
  put,
  list,
  activate,
  rollback,
  assign,
  key,
  redecode: again,
};

/** Which options each verb has beside those of every command. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  test: ['vectors', 'payload', 'port'],
  put: ['name', 'vectors', 'canary'],
  assign: [
    ...['device', 'profile', 'join-eui', 'range', 'all'],
    ...['fleet', 'thing', 'port', 'encryption'],
  ],
  key: ['purpose', 'key-file'],
  redecode: ['with', 'port', 'hours', 'limit'],
};

/** `npm run codec -- …`: payload codecs of LoRaWAN devices, of the laptop or of a stage on AWS. */
export const codec: Command = {
  name: 'codec',
  summary: 'Tries, puts and assigns payload codecs of LoRaWAN devices.',
  usage: `npm run codec -- test <path>                     runs a codec against its vectors, here
npm run codec -- put <path>                      tests it, and makes it the active version
npm run codec -- list                            codecs, versions, and who has which
npm run codec -- activate <name> <version>       makes a version active that is there
npm run codec -- rollback <name>                 ends a canary, or goes back to what was active before
npm run codec -- assign <name>[@<version>] …     says whose uplinks it decodes; also cayenne-lpp, cbor, json
npm run codec -- key <devEui> --key-file <file>  keeps a device's payload key, encrypted by KMS
npm run codec -- redecode <thing> --with <codec> what another codec makes of stored payloads

  <path>             a folder or a script, a description of fields, or a *-codec.yaml of The Things Stack
  --name <name>      the codec's name (that of its folder or file)
  --vectors <file>   its vectors, where they do not lie beside it
  --payload <hex>    test: decode this instead, with --port <n>
  --canary <percent> put: let only so many of its devices have it
  --device <id>      assign: one device, by DevEUI, or by its id on AWS where it has none
  --profile <name>   assign: a profile; with --device and no codec, the profile the device goes by
  --join-eui <eui>   assign: all with this JoinEUI; with --device and no codec, the device's
  --range <a>-<b>    assign: all DevEUIs from a to b
  --all              assign: all others
  --fleet <name>     assign: the fleet they are of
  --thing <name>     assign: the device's name in readings (with --device)
  --port <n,…>       assign, redecode: these FPorts only
  --encryption <how> assign: none, envelope (ours, inside the payload) or frm (as it was on the air)
  --purpose <what>   key: envelope or frm (envelope)
  --key-file <file>  key: 32 hexadecimal digits
  --with <codec>     redecode: <name>[@<version>] or a path
  --hours, --limit   redecode: how far back, and how many readings (24, 100)
${targetUsage(21)}`,
  async run(args, terminal): Promise<ExitCode> {
    const { values, positionals, tokens } = parse(args);
    const [verb = '', ...words] = positionals;
    const run = VERBS[verb];
    if (run === undefined) {
      throw wrongVerb(verb, Object.keys(VERBS));
    }
    refuseOthers(verb, tokens, OPTIONS_OF[verb]);
    return await run(words, values, terminal);
  },
};

const newRuntime = (): CodecRuntime => new CodecRuntime(readEngine('.'), () => performance.now());

function desk(values: Values) {
  const { client, stage } = findTarget(values);
  return openCodecDesk(new DynamoDBClient({ ...client }), stage, Date.now);
}

function load(files: CodecFiles): Tried {
  try {
    return tryCodec(newRuntime(), files.source);
  } catch (error) {
    if (error instanceof CodecFault)
      throw new FailedError(`${files.name} does not load: ${error.message}`);
    if (error instanceof RejectedError)
      throw new FailedError(`${files.name}: ${error.issues.join('; ')}`);
    throw error;
  }
}

function pathIn([path]: readonly string[]): string {
  if (path === undefined) throw new UsageError('Which codec? Name its folder or its script.');
  return path;
}

function test(words: readonly string[], values: Values, terminal: Terminal): ExitCode {
  const files = readCodec(pathIn(words), values.vectors);
  const tried = load(files);
  if (values.payload !== undefined) return decodeOnce(tried, values, terminal);
  if (files.vectors.length === 0) throw new FailedError(noVectors(files));
  const outcomes = checkVectors(tried, files.vectors);
  if (values.json) terminal.out(`${JSON.stringify(outcomes)}\n`);
  else report(files, outcomes, terminal);
  return outcomes.every(({ problem }) => problem === undefined) ? OK : FAILED;
}

const noVectors = ({ name }: CodecFiles): string =>
  `${name} has no vectors: put a vectors.json beside it, [{"type": "uplink", "description": "…", ` +
  `"input": {"bytes": "0102", "fPort": 2}, "output": {"data": {…}}}]. ` +
  'What it makes of a payload: --payload <hex> --port <n>.';

function decodeOnce(tried: Tried, values: Values, terminal: Terminal): ExitCode {
  const hex = (values.payload ?? '').replace(/[\s:,-]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new UsageError('--payload wants bytes in hexadecimal.');
  const [fPort = 1] = ports(values) ?? [];
  try {
    const bytes = [...Buffer.from(hex, 'hex')];
    const answer = tried.ask('decodeUplink', { bytes, fPort, recvTime: Date.now(), variables: {} });
    terminal.out(`${JSON.stringify(answer, undefined, values.json ? 0 : 2)}\n`);
    return OK;
  } catch (error) {
    if (error instanceof CodecFault) throw new FailedError(`${error.code}: ${error.message}`);
    if (error instanceof RejectedError) throw new FailedError(error.issues.join('; '));
    throw error;
  }
}

function report(
  { name, vectorFiles }: CodecFiles,
  outcomes: readonly Outcome[],
  terminal: Terminal,
): void {
  for (const { vector, problem } of outcomes) {
    if (problem === undefined) continue;
    terminal.err(`✗ ${vector.task} ${vector.description}\n    ${problem}\n`);
  }
  const failed = outcomes.filter(({ problem }) => problem !== undefined).length;
  const passed = outcomes.length - failed;
  terminal.out(
    `${name}: ${passed} of ${outcomes.length} vectors pass (${vectorFiles.join(', ')})\n`,
  );
}

async function put(
  words: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  const files = readCodec(pathIn(words), values.vectors);
  const name = nameFrom(values.name ?? files.name);
  const tried = load(files);
  if (files.vectors.length === 0) throw new FailedError(noVectors(files));
  const outcomes = checkVectors(tried, files.vectors);
  if (outcomes.some(({ problem }) => problem !== undefined)) {
    report(files, outcomes, terminal);
    throw new FailedError(`${name} was not put: its vectors have to pass.`);
  }
  const canary = values.canary === undefined ? undefined : percent(values.canary);
  const { source } = files;
  const pointer = await desk(values).put({ name, source, kind: tried.kind }, files.vectors, canary);
  if (pointer !== undefined) tell(pointer, values, terminal);
  else terminal.out(values.json ? 'null\n' : `${name} is there already, just so.\n`);
  return OK;
}

const tell = (pointer: CodecPointer, { json }: Values, terminal: Terminal): void =>
  terminal.out(`${json ? JSON.stringify(pointer) : describe(pointer)}\n`);

function nameFrom(text: string): string {
  if (isFormat(text))
    throw new UsageError(`${text} is the name of a format; choose another with --name.`);
  if (!CodecName.safeParse(text).success) {
    throw new UsageError(
      `A codec is named with 1 to 64 of a-z 0-9 . -, not '${text}'; choose with --name.`,
    );
  }
  return text;
}

function percent(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 100) return value;
  throw new UsageError(
    `--canary wants a share of more than 0 and less than 100 percent, not ${text}.`,
  );
}

const describe = ({ name, active, canary, history }: CodecPointer): string =>
  [
    `${name}: version ${active} is active`,
    ...(canary === undefined
      ? []
      : [`version ${canary.version} for ${canary.percent} % of its devices`]),
    ...(history.length === 0 ? [] : [`before: ${history.join(', ')}`]),
  ].join('; ');

const describeAssignment = ({ fleet, codecs, encryption }: Assignment): string =>
  [
    `fleet ${fleet}: ${codecs.map(describeChoice).join(', ') || 'kept undecoded'}`,
    ...(encryption === 'none' ? [] : [`encryption ${encryption}`]),
  ].join('; ');

const describeChoice = ({ codec, version, fPorts }: Choice): string =>
  `${codec}${version === undefined ? '' : `@${version}`}${fPorts === undefined ? '' : ` on FPort ${fPorts.join(', ')}`}`;

const describeEntry = ({ thing, profile, joinEui, assignment }: DeviceEntry): string =>
  [
    ...(thing === undefined ? [] : [`thing ${thing}`]),
    ...(profile === undefined ? [] : [`profile ${profile}`]),
    ...(joinEui === undefined ? [] : [`JoinEUI ${joinEui}`]),
    ...(assignment === undefined ? [] : [describeAssignment(assignment)]),
  ].join('; ');

async function list(
  _words: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  const listed = await desk(values).list();
  if (values.json) {
    terminal.out(`${JSON.stringify(listed)}\n`);
    return OK;
  }
  for (const pointer of listed.pointers) terminal.out(`${describe(pointer)}\n`);
  for (const { of, assignment } of listed.assignments) {
    terminal.out(`${of.replaceAll('#', ' ')} → ${describeAssignment(assignment)}\n`);
  }
  for (const { device, entry } of listed.devices) {
    terminal.out(`device ${device} → ${describeEntry(entry)}\n`);
  }
  terminal.out(`Codecs: ${listed.pointers.length}.\n`);
  return OK;
}

async function activate(
  [name = '', version = '']: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!/^\d+$/.test(version))
    throw new UsageError('Which version of which codec: activate <name> <version>.');
  tell(await desk(values).activate(nameFrom(name), Number(version)), values, terminal);
  return OK;
}

async function rollback(
  [name = '']: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  tell(await desk(values).rollback(nameFrom(name)), values, terminal);
  return OK;
}

async function assign(
  [codec]: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  const table = desk(values);
  const { device, thing } = values;
  if (device !== undefined && (thing !== undefined || codec === undefined)) {
    const entry = await table.describe(deviceId(device), entryFrom(values));
    terminal.out(
      `${values.json ? JSON.stringify({ device: deviceId(device), entry }) : `device ${deviceId(device)} → ${describeEntry(entry)}`}\n`,
    );
    if (codec === undefined) return OK;
  }
  if (codec === undefined)
    throw new UsageError('Which codec? Name it, or the profile of a --device.');
  const fPorts = ports(values);
  const choice = { ...(await table.choice(codec)), ...(fPorts !== undefined && { fPorts }) };
  const encryption = ENCRYPTIONS.find((one) => one === values.encryption);
  if (values.encryption !== undefined && encryption === undefined) {
    throw new UsageError(
      `--encryption wants one of ${ENCRYPTIONS.join(', ')}, not ${values.encryption}.`,
    );
  }
  const selector = selectorFrom(values);
  const assignment = await table.assign(selector, choice, {
    ...(values.fleet !== undefined && { fleet: values.fleet }),
    ...(encryption !== undefined && { encryption }),
  });
  const whose =
    selector.kind === 'device' ? `device ${selector.id}` : selector.sk.replaceAll('#', ' ');
  terminal.out(
    `${values.json ? JSON.stringify({ of: whose, assignment }) : `${whose} → ${describeAssignment(assignment)}`}\n`,
  );
  return OK;
}

const entryFrom = ({ profile, thing, 'join-eui': joinEui }: Values) => ({
  ...(profile !== undefined && { profile }),
  ...(thing !== undefined && { thing }),
  ...(joinEui !== undefined && { joinEui: eui(joinEui) }),
});

function selectorFrom({ device, profile, 'join-eui': joinEui, range, all }: Values): Selector {
  if (device !== undefined) return { kind: 'device', id: deviceId(device) };
  if (profile !== undefined) return { kind: 'many', sk: `profile#${profile}` };
  if (joinEui !== undefined) return { kind: 'many', sk: `joinEui#${eui(joinEui)}` };
  if (range !== undefined) {
    const [from = '', to = ''] = range.split('-');
    return { kind: 'many', sk: `range#${eui(from)}#${eui(to)}` };
  }
  if (all === true) return { kind: 'many', sk: 'other' };
  throw new UsageError('Whose uplinks? Name a --device, --profile, --join-eui, --range, or --all.');
}

function eui(text: string): string {
  const { data } = Eui.safeParse(text);
  if (data === undefined) throw new UsageError(`An EUI has 16 hexadecimal digits, not '${text}'.`);
  return data;
}

/** A DevEUI, or what the network calls a device that has told none. */
function deviceId(text: string): string {
  const { data } = Eui.safeParse(text);
  if (data !== undefined) return data;
  if (NAME.test(text)) return text;
  throw new UsageError(`A device is named by its DevEUI or its id on AWS, not '${text}'.`);
}

function ports({ port }: Values): number[] | undefined {
  if (port === undefined) return undefined;
  const list = port.split(',').map(Number);
  if (list.every((one) => Number.isInteger(one) && one >= 1 && one <= 223)) return list;
  throw new UsageError(`--port wants FPorts from 1 to 223, separated by commas, not ${port}.`);
}

async function key(
  [device = '']: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  const devEui = eui(device);
  const { purpose, 'key-file': file } = values;
  if (purpose !== 'envelope' && purpose !== 'frm')
    throw new UsageError('--purpose wants envelope or frm.');
  if (file === undefined)
    throw new UsageError('Where is the key? Name a --key-file with 32 hexadecimal digits.');
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-fA-F]{32}$/.test(text))
    throw new FailedError(`${file} holds no key of 32 hexadecimal digits.`);
  const { client } = findTarget(values);
  await desk(values).putKey(
    new KMSClient({ ...client }),
    devEui,
    purpose,
    Buffer.from(text, 'hex'),
  );
  const says = `The ${purpose} key of ${devEui} is kept, encrypted by KMS for it alone.`;
  terminal.out(`${values.json ? JSON.stringify({ devEui, purpose }) : says}\n`);
  return OK;
}

async function again(
  [thing = '']: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!NAME.test(thing) || values.with === undefined) {
    throw new UsageError('Whose readings, and by which codec: redecode <thing> --with <codec>.');
  }
  const tried = await codecNamed(values.with, values);
  const fPorts = ports(values);
  const nowMs = Date.now();
  const range = { fromMs: nowMs - Number(values.hours) * 3_600_000, toMs: nowMs + 3_600_000 };
  const readings: Reading[] = [];
  for await (const reading of openReadSide(findTarget(values)).history(thing, range)) {
    if (reading.transport === 'lorawan' && isOn(fPorts, reading)) readings.push(reading);
    if (readings.length >= Number(values.limit)) break;
  }
  const results = redecode(tried, readings);
  if (values.json) {
    terminal.out(`${JSON.stringify(results)}\n`);
    return OK;
  }
  for (const { observedAtMs, payload, fPort, changes, problem } of results) {
    if (problem === undefined && changes.length === 0) continue;
    const differences = changes.map(
      ({ name, from, to }) => `${name}: ${from ?? '–'} → ${to ?? '–'}`,
    );
    const at = new Date(observedAtMs).toISOString();
    terminal.out(`${at}  ${fPort}  ${payload}\n    ${problem ?? differences.join('\n    ')}\n`);
  }
  const differing = results.filter(
    ({ changes, problem }) => changes.length > 0 || problem !== undefined,
  );
  terminal.out(
    `${differing.length} of ${results.length} stored payloads would read differently.\n`,
  );
  return OK;
}

const isOn = (fPorts: readonly number[] | undefined, { raw }: Reading): boolean =>
  fPorts === undefined || (raw.fPort !== undefined && fPorts.includes(raw.fPort));

async function codecNamed(text: string, values: Values): Promise<Tried> {
  const [name = '', version] = text.split('@');
  if (/[/\\.]/.test(text) && !CodecName.safeParse(name).success) return load(readCodec(text));
  const table = desk(values);
  const pointer = await table.pointerOf(name);
  if (pointer === undefined) return load(readCodec(text));
  const { source } = await table.versionOf(name, Number(version ?? pointer.active));
  return load({ name: text, source, vectors: [], vectorFiles: [] });
}
