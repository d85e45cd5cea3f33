import { parseArgs } from 'node:util';
import { DEFAULT_PROFILES } from '../shared/core/security/default-profiles.ts';
import {
  type DeviceState,
  decodeState,
  encodeState,
  NEW_DEVICE,
} from '../shared/core/security/device-state.ts';
import { afterNotification, type Incident } from '../shared/core/security/incident.ts';
import { parseNotification } from '../shared/core/security/notification.ts';
import { activeBehaviors } from '../shared/core/security/profile.ts';
import { parseSignal } from '../shared/core/security/signal.ts';
import { takeSignal } from '../shared/core/security/take.ts';
import { countersOf } from '../shared/core/security/tally.ts';
import { watch } from '../shared/core/security/watch.ts';

/*
 * What watching costs: CPU of guard for each counters envelope, and of defend for each notification, beside parsing
 * their JSON; bytes of state a device; and whether a message costs the same with more devices. Everything but the
 * calls to AWS is included.
 */

const USAGE = 'npm run bench:guard -- [--json] [--rounds N]';
const NOW_MS = 1_790_000_000_000;
const MESSAGES_A_BATCH = 4;

interface Cost {
  readonly us: number;
  readonly floorUs: number;
  readonly ratio: number;
}

/** Each device has one batch a second; a round is one batch of each of a thousand devices. */
function measureGuard(devices: number, rounds: number) {
  const behaviors = activeBehaviors(DEFAULT_PROFILES, { fleet: 'acme' });
  const rows = new Map<string, string>();
  let sequence = 10n ** 55n;
  const turn = (round: number) => {
    const texts = Array.from({ length: 1_000 }, (_, at) =>
      signalText((round * 1_000 + at) % devices, round),
    );
    const sequences = texts.map(() => {
      sequence += 1n;
      return String(sequence);
    });
    const floorUs = perItem(texts, (text) => JSON.parse(text));
    const us = perItem(texts, (text, at) => {
      const signal = parseSignal(text);
      if (signal.source !== 'counters') throw new Error('the bench makes counters');
      const row = rows.get(signal.thing);
      const before: DeviceState = row === undefined ? NEW_DEVICE : decodeState(row);
      const { state, observations } = takeSignal(before, signal, sequences[at] ?? '');
      const nowMs = NOW_MS + 86_400_000;
      const outcome = watch(state, observations, { thing: signal.thing, behaviors, nowMs });
      rows.set(signal.thing, encodeState(outcome.state));
    });
    return { us, floorUs };
  };
  const cost = median(rounds, turn);
  const sizes = [...rows.values()].map((row) => Buffer.byteLength(row));
  return { devices, ...cost, bytesOfState: Math.max(...sizes) };
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
    const texts = Array.from({ length: 1_000 }, (_, at) => findingText(round * 1_000 + at));
    const floorUs = perItem(texts, (text) => JSON.parse(text));
    let incident: Incident | undefined;
    const us = perItem(texts, (text) => {
      for (const one of parseNotification(text, { accountId: '000000000000' })) {
        incident = afterNotification(incident, one, false);
      }
    });
    return { us, floorUs };
  };
  return median(rounds, turn);
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
function perItem(texts: readonly string[], step: (text: string, at: number) => unknown): number {
  const before = process.cpuUsage();
  texts.forEach(step);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / texts.length;
}

function median(
  rounds: number,
  turn: (round: number) => { readonly us: number; readonly floorUs: number },
): Cost {
  const warm = 10;
  const taken = Array.from({ length: warm + rounds }, (_, round) => turn(round)).slice(warm);
  const middle = (values: number[]): number =>
    values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
  const us = middle(taken.map((one) => one.us));
  const floorUs = middle(taken.map((one) => one.floorUs));
  return { us, floorUs, ratio: us / floorUs };
}

function show({
  guard,
  defend,
}: {
  readonly guard: readonly (Cost & { devices: number; bytesOfState: number })[];
  readonly defend: Cost;
}): string {
  const line = (name: string, { us, floorUs, ratio }: Cost, more = ''): string =>
    `  ${name.padEnd(24)} ${us.toFixed(2).padStart(8)} ${floorUs.toFixed(2).padStart(8)} ${ratio.toFixed(2).padStart(7)}×${more}`;
  return [
    'CPU an envelope or notification, beside parsing its JSON (µs, median)',
    ...guard.map((one) =>
      line(`guard, ${one.devices} devices`, one, `   ${one.bytesOfState} bytes of state a device`),
    ),
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
    defend: measureDefend(rounds),
  };
  process.stdout.write(values.json === true ? `${JSON.stringify(figures)}\n` : show(figures));
}
