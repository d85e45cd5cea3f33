import { parseArgs } from 'node:util';
import { type ColdStart, measureColdStarts } from './support/cold-start.ts';
import { type EndToEnd, measureEndToEnd } from './support/end-to-end.ts';
import { type HandlerCpu, measureHandlers, parsed } from './support/handler-cpu.ts';

/*
 * What the way of a message costs: CPU a message of the functions beside the floor of reading their batches, and what
 * a new container loads, and how many messages a second pass through the laptop cloud. One section after the other; each measures and each prints for itself.
 */

const USAGE = `npm run bench:ingest -- [--json] [--rounds N]

  --json      one JSON document instead of tables
  --rounds N  counted rounds of the functions (default 60); medians need some
`;

interface Section<Figures> {
  readonly name: string;
  measure(): Promise<Figures>;
  show(figures: Figures): string;
}

const handlers = (rounds: number): Section<readonly HandlerCpu[]> => ({
  name: 'handlers',
  measure: () => measureHandlers(rounds),
  show: (figures) =>
    table(
      'CPU a message, batches of 100 (µs, median)',
      ['function', 'handler', 'floor', 'ratio'],
      figures.map(({ function: name, handlerUs, floorUs, ratio }) => [
        name,
        handlerUs.toFixed(2),
        floorUs.toFixed(2),
        `${ratio.toFixed(2)}×`,
      ]),
    ),
});

const coldStarts = (rounds: number): Section<readonly ColdStart[]> => ({
  name: 'coldStarts',
  measure: () => measureColdStarts(rounds),
  show: (figures) =>
    [
      table(
        'Bundle and its import, beside an empty handler with the same clients (kB, ms of CPU, median)',
        ['function', 'kB', 'empty', 'ms', 'empty'],
        figures.map(({ function: name, bytes, emptyBytes, importMs, emptyImportMs }) => [
          name,
          kilobytes(bytes),
          kilobytes(emptyBytes),
          importMs.toFixed(0),
          emptyImportMs.toFixed(0),
        ]),
      ),
      ...figures.map(
        ({ function: name, packages }) =>
          `${name}: ${Object.entries(packages)
            .slice(0, 8)
            .map(([from, bytes]) => `${from} ${kilobytes(bytes)}`)
            .join(', ')}`,
      ),
    ].join('\n'),
});

const endToEnd: Section<EndToEnd> = {
  name: 'endToEnd',
  measure: measureEndToEnd,
  show: ({ messages, devices, acknowledgedPerSecond, storedPerSecond }) =>
    table(
      `${messages} messages of ${devices} devices through the laptop cloud, QoS 1 over mutual TLS (messages a second)`,
      ['until', ''],
      [
        ['the last PUBACK', String(acknowledgedPerSecond)],
        ['the last reading is stored', String(storedPerSecond)],
      ],
    ),
};

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(0);

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = head.map((cell, at) =>
    Math.max(cell.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  return [`\n${title}`, line(head), ...rows.map(line)].join('\n');
}

async function run<Figures>(
  { name, measure, show }: Section<Figures>,
  json: boolean,
): Promise<readonly [string, Figures]> {
  const figures = await measure();
  if (!json) console.log(show(figures));
  return [name, figures];
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error('--rounds wants a whole number from 1');
  const sections = [
    await run(handlers(rounds), values.json),
    await run(coldStarts(11), values.json),
    await run(endToEnd, values.json),
  ];
  const figures = {
    node: process.version,
    messagesParsed: parsed(),
    ...Object.fromEntries(sections),
  };
  if (values.json) console.log(JSON.stringify(figures, null, 2));
}
