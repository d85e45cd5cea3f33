import { parseArgs } from 'node:util';
import { type GuardDeps, guard } from '../functions/guard/guard.ts';
import { DEFAULT_PROFILES } from '../shared/core/security/default-profiles.ts';
import { decodeState, encodeState, NEW_DEVICE } from '../shared/core/security/device-state.ts';
import { afterNotification, type Incident } from '../shared/core/security/incident.ts';
import { parseNotification } from '../shared/core/security/notification.ts';
import { activeBehaviors } from '../shared/core/security/profile.ts';
import { parseSignal } from '../shared/core/security/signal.ts';
import { takeSignal, thingOf } from '../shared/core/security/take.ts';
import { countersOf } from '../shared/core/security/tally.ts';
import { watch } from '../shared/core/security/watch.ts';

/*
 * What watching costs: CPU of guard for each counters envelope, and of defend for each notification, beside parsing
 * their JSON; bytes of state a device; and whether a message costs the same with more devices. Calls to AWS are not in
 * it; the walk over the batch is in the line of the whole function.
 */

const USAGE = 'npm run bench:guard -- [--json] [--rounds N]';
const NOW_MS = 1_790_000_000_000;
const MESSAGES_A_BATCH = 4;

interface Cost {
  readonly us: number;
  readonly floorUs: number;
  readonly ratio: number;
}

const TEXTS_A_ROUND = 1_000;
/** As `guard` gets them. */
const BATCH = 100;

interface Guarded extends Cost {
  readonly devices: number;
  readonly bytesOfState: number;
}

/**
 * The work on what devices say, each step over a batch as the function takes it; in a round a thousand envelopes, of as
 * many devices as there are.
 */
function measureGuard(devices: number, rounds: number): Guarded {
  const behaviors = activeBehaviors(DEFAULT_PROFILES, { fleet: 'acme' });
  const rows = new Map<string, string>();
  const nowMs = NOW_MS + 86_400_000;
  const guardBatch = (texts: readonly string[], sequences: readonly string[]): void => {
    const signals = texts.map(parseSignal);
    const states = signals.map((signal) => {
      const row = rows.get(thingOf(signal) ?? '');
      return row === undefined ? NEW_DEVICE : decodeState(row);
    });
    const outcomes = signals.map((signal, at) => {
      const before = states[at] ?? NEW_DEVICE;
      const { state, observations } = takeSignal(before, signal, sequences[at] ?? '');
      return watch(state, observations, { thing: thingOf(signal) ?? '', behaviors, nowMs });
    });
    for (const [at, signal] of signals.entries()) {
      const outcome = outcomes[at];
      if (outcome !== undefined) rows.set(thingOf(signal) ?? '', encodeState(outcome.state));
    }
  };
  const turn = (round: number) => {
    const texts = textsOf(round, devices);
    const sequences = texts.map(nextSequence);
    const floorUs = cpuUs(texts.length, () => {
      for (const text of texts) JSON.parse(text);
    });
    const us = cpuUs(texts.length, () => {
      for (let at = 0; at < texts.length; at += BATCH) {
        guardBatch(texts.slice(at, at + BATCH), sequences.slice(at, at + BATCH));
      }
    });
    return { us, floorUs };
  };
  const cost = median(
    rounds,
    Array.from({ length: WARM_UPS + rounds }, (_, round) => turn(round)),
  );
  const sizes = [...rows.values()].map((row) => Buffer.byteLength(row));
  return { devices, ...cost, bytesOfState: Math.max(...sizes) };
}

/** The whole function over tables in memory: its walk over the batch, and reading what Lambda hands over, as well. */
async function measureFunction(rounds: number): Promise<Cost> {
  const rows = new Map<string, string>();
  const handle = guard(memoryDeps(rows));
  const invocation = {
    getRemainingTimeInMillis: () => 60_000,
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:000000000000:function:tributary-dev-guard',
  };
  const turn = async (round: number) => {
    const records = textsOf(round, TEXTS_A_ROUND).map((text) => ({
      eventSourceARN: 'arn:aws:kinesis:eu-central-1:000000000000:stream/tributary-dev-signals',
      kinesis: {
        data: Buffer.from(text).toString('base64'),
        partitionKey: 'probe',
        sequenceNumber: nextSequence(),
      },
    }));
    const floorUs = cpuUs(records.length, () => {
      for (const { kinesis } of records) JSON.parse(Buffer.from(kinesis.data, 'base64').toString());
    });
    const before = process.cpuUsage();
    for (let at = 0; at < records.length; at += BATCH) {
      await handle({ Records: records.slice(at, at + BATCH) }, invocation);
    }
    return { us: sinceUs(before) / records.length, floorUs };
  };
  const turns: Turn[] = [];
  for (let round = 0; round < WARM_UPS + rounds; round += 1) turns.push(await turn(round));
  return median(rounds, turns);
}

const memoryDeps = (rows: Map<string, string>): GuardDeps => ({
  profiles: DEFAULT_PROFILES,
  fleets: {
    fleetsOf: async (things) => ({
      known: new Map(things.map((thing) => [thing, 'acme'])),
      failures: [],
    }),
  },
  devices: {
    load: async (things) => ({
      kept: new Map(
        things.map((thing) => {
          const row = rows.get(thing);
          const state = row === undefined ? NEW_DEVICE : decodeState(row);
          return [thing, { state, unpublished: [] }];
        }),
      ),
      failures: [],
    }),
    save: async (thing, { state }) => {
      rows.set(thing, encodeState(state));
      return [];
    },
    silent: async function* () {},
  },
  connections: { save: async () => [] },
  statistics: { histogram: async () => new Map(), add: async () => {} },
  findings: { publish: async () => [] },
  findingsTopic: 'findings',
  deadLetters: { send: async () => [] },
  log: () => {},
  now: () => NOW_MS + 86_400_000,
});

const textsOf = (round: number, devices: number): readonly string[] =>
  Array.from({ length: TEXTS_A_ROUND }, (_, at) =>
    signalText((round * TEXTS_A_ROUND + at) % devices, round),
  );

let sequence = 10n ** 55n;

function nextSequence(): string {
  sequence += 1n;
  return String(sequence);
}

function signalText(device: number, round: number): string {
  const seen = Array.from({ length: MESSAGES_A_BATCH }, (_, at) => ({
    thing: `probe-${device}`,
    fleet: 'acme',
    sequenceNumber: String(10n ** 55n + BigInt(round) * 1_000_000n + BigInt(at)),
    receivedAtMs: NOW_MS + round * 20_000 + at,
    bytes: 180,
    malformed: false,
  }));
  return JSON.stringify(countersOf('ingest', seen)[0]);
}

function measureDefend(rounds: number): Cost {
  const turn = (round: number) => {
    const texts = Array.from({ length: TEXTS_A_ROUND }, (_, at) =>
      findingText(round * TEXTS_A_ROUND + at),
    );
    const floorUs = cpuUs(texts.length, () => {
      for (const text of texts) JSON.parse(text);
    });
    let incident: Incident | undefined;
    const us = cpuUs(texts.length, () => {
      for (const text of texts) {
        for (const one of parseNotification(text, { accountId: '000000000000' })) {
          incident = afterNotification(incident, one, false);
        }
      }
    });
    return { us, floorUs };
  };
  return median(
    rounds,
    Array.from({ length: WARM_UPS + rounds }, (_, round) => turn(round)),
  );
}

const findingText = (at: number): string =>
  JSON.stringify({
    violationEventTime: NOW_MS + at,
    thingName: 'probe-1',
    behavior: {
      criteria: {
        comparisonOperator: 'less-than-equals',
        value: { count: 300 },
        durationSeconds: 300,
      },
      name: 'messages-sent',
      metric: 'aws:num-messages-sent',
    },
    violationEventType: 'in-alarm',
    metricValue: { count: 301 },
    violationId: String(at).padStart(32, '0'),
    securityProfileName: 'tributary-fleet',
  });

/** Microseconds of CPU an item. */
function cpuUs(items: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  return sinceUs(before) / items;
}

function sinceUs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

interface Turn {
  readonly us: number;
  readonly floorUs: number;
}

/** A container that is warm has seen more than this. */
const WARM_UPS = 40;

function median(rounds: number, turns: readonly Turn[]): Cost {
  const taken = turns.slice(-rounds);
  const middle = (values: number[]): number =>
    values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
  const us = middle(taken.map((one) => one.us));
  const floorUs = middle(taken.map((one) => one.floorUs));
  return { us, floorUs, ratio: us / floorUs };
}

function show({
  guard: guarded,
  whole,
  defend,
}: {
  readonly guard: readonly Guarded[];
  readonly whole: Cost;
  readonly defend: Cost;
}): string {
  const line = (name: string, { us, floorUs, ratio }: Cost, more = ''): string =>
    `  ${name.padEnd(24)} ${us.toFixed(2).padStart(8)} ${floorUs.toFixed(2).padStart(8)} ${ratio.toFixed(2).padStart(7)}×${more}`;
  return [
    'CPU an envelope or notification, beside parsing its JSON (µs, median)',
    ...guarded.map((one) =>
      line(`guard, ${one.devices} devices`, one, `   ${one.bytesOfState} bytes of state a device`),
    ),
    line('guard, whole function', whole, '   beside base64 and JSON'),
    line('defend', defend),
    '',
  ].join('\n');
}

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, rounds: { type: 'string' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  process.stdout.write(`${USAGE}\n`);
} else {
  const rounds = Number(values.rounds ?? 20);
  const figures = {
    guard: [100, 1_000, 10_000].map((devices) => measureGuard(devices, rounds)),
    whole: await measureFunction(rounds),
    defend: measureDefend(rounds),
  };
  process.stdout.write(values.json === true ? `${JSON.stringify(figures)}\n` : show(figures));
}
