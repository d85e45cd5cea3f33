import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { BootError } from '../local/boot/resources.ts';
import { type Laptop, startLaptop } from '../local/cloud.ts';
import { type FaultRequest, type FleetOptions, startFleet } from '../local/fleet/fleet.ts';
import { watchAnomalies } from './anomaly-watch.ts';
import { type Command, FailedError, OK, UsageError } from './command.ts';
import { FAULTY_SENSORS, ownDevice, SENSOR_INTERVAL_MS, simulatedDevices } from './demo-devices.ts';
import { faultNews, setLimits } from './demo-faults.ts';
import { FAULTY_RADIOS, startRadio } from './demo-radio.ts';
import { FAULT_USAGE, readFault } from './fault-option.ts';
import { COMPILED_TEMPLATE, PACKAGE_DIRECTORY, packageService } from './package-service.ts';
import { openScreen, type Screen } from './screen.ts';
import { showIncidents } from './show-incidents.ts';
import { countCalls } from './tally.ts';
import { LAPTOP_FILE, type LaptopFile } from './target.ts';
import { welcome } from './welcome.ts';

/** 443 and what is below 1024 is not everybody's to listen on, so 9443 stands for it, and domains follow. */
const PORTS = { aws: 4566, mqtt: 8883, https: 8443, port443: 9443, firstDomain: 9444 } as const;
/** An account has ten domain configurations. */
const HIGHEST_PORT = PORTS.firstDomain + 9;
/** Of LoRaWAN gateways: LoRa Basics Station and the UDP packet forwarder. */
const LORAWAN_PORTS = { lns: 8887, udp: 1700 } as const;
/** Ten minutes: beyond the warm-up of everything that is found within minutes. */
const BACKLOG_READINGS = 300;
const REFRESH_MS = 500;

interface Options {
  readonly stage: string;
  /** Of the stage's parameters, as `name=value`, what is to be different this time. */
  readonly parameters: readonly string[];
  readonly fleet: boolean;
  readonly faults: readonly FaultRequest[];
  readonly portOffset: number;
  /** Where certificates are, and with `--data` the rest of the state. */
  readonly directory: string;
  readonly keepsState: boolean;
  readonly propagationDelayMs: number;
}

/** `npm start`: the packaged service, running whole on this machine. */
export const start: Command = {
  name: 'start',
  summary:
    'Packages the service and runs it here: the device gateway, the rules, the functions, the tables.',
  usage: `npm start -- [options]

  --no-fleet         without the simulated devices
${FAULT_USAGE}
  --port-offset <n>  adds n to every port (MQTT ${PORTS.mqtt}, HTTPS ${PORTS.https}, 443 is ${PORTS.port443}, AWS APIs ${PORTS.aws})
  --data <dir>       keeps streams, tables, queues and certificates there across restarts
  --propagation <s>  seconds until changed policies and certificates count for open connections (0; minutes on AWS)
  --param <n>=<v>    another value for a parameter of the stage, see serverless.yml (any number of times)
  --stage <name>     the stage to package (dev)`,
  async run(args, terminal) {
    const options = readOptions(args);
    const screen = openScreen(terminal);
    const tally = countCalls(options.stage);
    const laptop = await boot(options, screen, tally.observe);
    try {
      await live(laptop, options, screen, tally);
    } finally {
      rmSync(LAPTOP_FILE, { force: true });
      screen.say('Stopping …');
      await laptop.close();
    }
    return OK;
  },
};

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      fleet: { type: 'boolean', default: true },
      fault: { type: 'string', multiple: true, default: [] },
      'port-offset': { type: 'string', default: '0' },
      data: { type: 'string' },
      param: { type: 'string', multiple: true, default: [] },
      propagation: { type: 'string', default: '0' },
      stage: { type: 'string', default: 'dev' },
    },
  });
  const portOffset = Number(values['port-offset']);
  if (!Number.isInteger(portOffset) || portOffset < 0 || HIGHEST_PORT + portOffset > 65_535) {
    throw new UsageError(
      `--port-offset wants a whole number from 0 to ${65_535 - HIGHEST_PORT}, not ${values['port-offset']}.`,
    );
  }
  const faults = values.fault.map((text) => readFault(text, [...FAULTY_SENSORS, ...FAULTY_RADIOS]));
  if (faults.length > 0 && !values.fleet) {
    throw new UsageError('--fault is of the simulated devices, which --no-fleet leaves out.');
  }
  return {
    stage: values.stage,
    parameters: values.param.map(checkParameter),
    fleet: values.fleet,
    faults,
    portOffset,
    directory: values.data ?? '.tributary',
    keepsState: values.data !== undefined,
    propagationDelayMs: 1000 * wholeNumber('--propagation', values.propagation),
  };
}

function checkParameter(text: string): string {
  if (/^[A-Za-z][A-Za-z0-9]*=/.test(text)) return text;
  throw new UsageError(`--param wants <name>=<value>, not ${text}.`);
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`${option} wants a whole number, not ${text}.`);
}

async function boot(
  { stage, parameters, portOffset, directory, keepsState, propagationDelayMs }: Options,
  screen: Screen,
  onCall: ReturnType<typeof countCalls>['observe'],
): Promise<Laptop> {
  const startedAt = performance.now();
  screen.say(`Packaging stage ${stage} …`);
  await packageService(stage, parameters);
  const packagedAt = performance.now();
  const laptop = await bootable(
    startLaptop({
      templateFile: COMPILED_TEMPLATE,
      packageDirectory: PACKAGE_DIRECTORY,
      certificateDirectory: directory,
      ...(keepsState && { directory }),
      ports: {
        aws: PORTS.aws + portOffset,
        mqtt: PORTS.mqtt + portOffset,
        https: PORTS.https + portOffset,
        port443: PORTS.port443 + portOffset,
        firstDomain: PORTS.firstDomain + portOffset,
      },
      lorawanPorts: {
        lns: LORAWAN_PORTS.lns + portOffset,
        udp: LORAWAN_PORTS.udp + portOffset,
      },
      propagationDelayMs,
      log: screen.log,
      onCall,
      ...showIncidents(screen.say, {
        stage,
        endpoint: `http://127.0.0.1:${PORTS.aws + portOffset}`,
      }),
    }),
  );
  const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
  screen.say(
    `Packaged in ${seconds(startedAt, packagedAt)}, started in ${seconds(packagedAt, performance.now())}.`,
  );
  return laptop;
}

const PORT_IN_USE = z.object({ code: z.literal('EADDRINUSE'), port: z.int() });

/** @throws {FailedError} for what the person at the keyboard can mend: a port in use, a template that cannot run here */
async function bootable(starting: Promise<Laptop>): Promise<Laptop> {
  try {
    return await starting;
  } catch (error) {
    if (error instanceof BootError) throw new FailedError(error.message);
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const inUse = PORT_IN_USE.safeParse(cause).data;
    if (inUse === undefined) throw error;
    throw new FailedError(
      `Port ${inUse.port} is in use. End what listens there, or move all ports: npm start -- --port-offset 100`,
    );
  }
}

/** Until Ctrl-C: the fleet publishes, the line at the foot of the screen tells. */
async function live(
  laptop: Laptop,
  options: Options,
  screen: Screen,
  tally: ReturnType<typeof countCalls>,
) {
  const stopped = untilInterrupted();
  const file = laptopFile(laptop, options);
  const own = await ownDevice(laptop);
  writeLaptopFile(file);
  screen.say(welcome(laptop, file, own));
  const watch = await watchAnomalies(laptop, screen.tell);
  const switchOff = options.fleet ? await switchOnFleet(laptop, options, screen) : undefined;
  const showStatus = () => screen.status(tally.with(laptop.counters(), watch.open()));
  const refresh = setInterval(showStatus, REFRESH_MS);
  await stopped;
  clearInterval(refresh);
  showStatus();
  await Promise.all([switchOff?.(), watch.stop()]);
}

/** @returns what switches the simulated devices off */
async function switchOnFleet(
  laptop: Laptop,
  { faults, stage }: Options,
  screen: Screen,
): Promise<() => Promise<void>> {
  await setLimits(laptop, stage, faults, Date.now);
  const telling =
    (backlog: number): NonNullable<FleetOptions['onFault']> =>
    (fault, at) =>
      screen.tell(faultNews(fault, at, { nowMs: Date.now(), backlog }));
  const fleet = await startFleet({
    devices: await simulatedDevices(laptop),
    gateway: { host: 'localhost', mqttPort: laptop.mqttPort, httpsPort: laptop.httpsPort },
    intervalMs: SENSOR_INTERVAL_MS,
    now: Date.now,
    random: Math.random,
    log: screen.log,
    faults,
    backlogReadings: BACKLOG_READINGS,
    onFault: telling(BACKLOG_READINGS),
  });
  const radio = await startRadio(laptop, stage, screen.log, faults, telling(0));
  return async () => {
    await Promise.all([fleet.stop(), radio?.stop()]);
  };
}

const laptopFile = (laptop: Laptop, { stage }: Options): LaptopFile => ({
  pid: process.pid,
  stage,
  region: laptop.region,
  accountId: laptop.accountId,
  awsEndpoint: laptop.awsEndpoint,
  mqttPort: laptop.mqttPort,
  httpsPort: laptop.httpsPort,
  port443: laptop.port443,
  domains: [...laptop.domains],
  caFile: laptop.caFile,
  devicesDirectory: laptop.devicesDirectory,
});

function writeLaptopFile(file: LaptopFile): void {
  mkdirSync(dirname(LAPTOP_FILE), { recursive: true });
  writeFileSync(LAPTOP_FILE, `${JSON.stringify(file, null, 2)}\n`);
}

const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
