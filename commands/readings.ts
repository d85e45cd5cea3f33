import { parseArgs } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readSide } from '../shared/adapters/readings/read-side.ts';
import { NAME } from '../shared/core/names.ts';
import type { Reading } from '../shared/core/reading.ts';
import { type Command, FailedError, type Terminal, UsageError } from './command.ts';
import { printable } from './printable.ts';
import { findTarget, TARGET_OPTIONS, type Target, targetUsage } from './target.ts';

const HOUR_MS = 3_600_000;

/** `npm run readings -- <thing>`: what is stored of a device, the newest first. */
export const readings: Command = {
  name: 'readings',
  summary: 'Shows the stored readings of a device, the newest first.',
  usage: `npm run readings -- <thing> [options]

  --latest         only the newest reading of each kind
  --hours <n>      how far back to look, by time of observation (24)
  --limit <n>      at most so many (20)
${targetUsage()}`,
  async run(args, terminal) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...TARGET_OPTIONS,
        latest: { type: 'boolean' },
        hours: { type: 'string', default: '24' },
        limit: { type: 'string', default: '20' },
      },
    });
    const [thing = '', ...more] = positionals;
    if (more.length > 0) throw new UsageError(`One at a time, so what is '${more.join(' ')}'?`);
    if (!NAME.test(thing)) {
      throw new UsageError('Which device? A thing is named with 1 to 64 of A-Z a-z 0-9 _ and -.');
    }
    const [hours, limit] = [positive('hours', values.hours), positive('limit', values.limit)];
    const table = openReadSide(findTarget(values));
    const found = values.latest
      ? await table.latest(thing)
      : await take(limit, table.history(thing, lastHours(hours, Date.now()), limit));
    if (values.json) terminal.out(`${JSON.stringify(found)}\n`);
    else show(thing, found, terminal);
  },
};

export const openReadSide = ({ stage, client }: Target) =>
  readSide(new DynamoDBClient({ ...client }), {
    readings: `tributary-${stage}-readings`,
    devices: `tributary-${stage}-devices`,
  });

/** Clocks of devices may be a little ahead, so the range ends an hour from now. */
const lastHours = (hours: number, nowMs: number) => ({
  fromMs: nowMs - hours * HOUR_MS,
  toMs: nowMs + HOUR_MS,
});

function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`--${option} wants a number above 0, not ${text}.`);
}

async function take<T>(limit: number, items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= limit) break;
  }
  return taken;
}

function show(thing: string, found: readonly Reading[], terminal: Terminal): void {
  if (found.length === 0) throw new FailedError(`Nothing is stored of ${thing} in that time.`);
  for (const reading of found) terminal.out(`${printable(lineOf(reading))}\n`);
}

const lineOf = ({ observedAtMs, kind, transport, metrics, units = {} }: Reading): string => {
  const values = Object.entries(metrics).map(([name, value]) =>
    [`${name}=${JSON.stringify(value)}`, units[name]].filter(Boolean).join(' '),
  );
  return [
    new Date(observedAtMs).toISOString(),
    transport.padEnd(7),
    kind.padEnd(9),
    values.join('  '),
  ].join('  ');
};
