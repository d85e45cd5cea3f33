import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS, type Fault } from '../local/fleet/faults.ts';
import { scenario } from '../local/fleet/scenario.ts';
import {
  CONTESTANTS,
  type Contestant,
  scoresOf,
  tributary,
} from './support/detection-contestants.ts';
import { measureCurve, measureSpeed, writeCosts } from './support/detection-cost.ts';
import { type Events, eventsAt, eventsWithin, vusPr } from './support/detection-events.ts';
import { generatedSet } from './support/detection-generated.ts';
import {
  bestThreshold,
  crossValidated,
  nabScore,
  PROFILES,
  prepare,
} from './support/detection-nab.ts';
import { draw } from './support/detection-picture.ts';
import { found, run } from './support/detection-run.ts';
import { type LabelledSet, readSets, type Series } from './support/detection-sets.ts';
import { showTable } from './support/detection-table.ts';

const USAGE = `npm run bench:detection -- [--data DIR] [--pictures DIR] [--seeds N]

  How well the detector finds what is wrong, beside the usual baselines, and what it costs. Without data it is measured
  on what the project generates by itself.

  --data DIR      a labelled set: data/, labels/combined_windows.json and, for other sets than NAB, meta.json; or a
                  folder of such sets
  --pictures DIR  writes an SVG of each series of the sets: readings, bands, verdicts, labels
  --seeds N       devices a fault of the generated catalogue (default 10)
`;

const BATCH_SECONDS = 5;
const BUDGET_PER_10000 = 10;

const number = (value: number, digits: number): string =>
  Number.isNaN(value) ? '-' : value.toFixed(digits);

/** Each fault of the catalogue in so many devices: found or not, when, and at what price. */
function catalogue(seeds: number): void {
  const rows = [undefined, ...FAULTS].map((fault) => faultRow(fault, seeds));
  showTable(
    `Generated faults: ${seeds} devices each, two metrics, every 5 minutes for 3 weeks`,
    ['fault', 'found', 'median delay (readings)', 'longest', 'false alarms per 10,000 values'],
    rows,
  );
}

function faultRow(fault: Fault | undefined, seeds: number): readonly string[] {
  const delays: number[] = [];
  let alarms = 0;
  let values = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const made = scenario({ seed, fault });
    const outcome = found(made, run(made).told);
    if (!Number.isNaN(outcome.delayMs)) delays.push(Math.ceil(outcome.delayMs / 300_000));
    alarms += outcome.falseAlarms;
    values += 2 * made.readings.length;
  }
  delays.sort((one, other) => one - other);
  return [
    fault ?? 'none',
    fault === undefined ? '-' : `${delays.length} of ${seeds}`,
    number(delays[delays.length >> 1] ?? Number.NaN, 0),
    number(delays.at(-1) ?? Number.NaN, 0),
    number((10_000 * alarms) / values, 2),
  ];
}

const HEAD = ['detector', 'recall', 'precision', 'median delay', 'false alarms per 10,000'];

const eventCells = ({ recall, precision, medianDelay, falseAlarmsPer10000 }: Events) => [
  number(recall, 3),
  number(precision, 3),
  number(medianDelay, 0),
  number(falseAlarmsPer10000, 2),
];

function showSet({ name, isNab, series }: LabelledSet): void {
  const rows = series.reduce((sum, { values }) => sum + values.length, 0);
  console.log(`\n${name}: ${series.length} series, ${rows} rows`);
  const scores = new Map(CONTESTANTS.map((one) => [one, series.map((of) => scoresOf(one, of))]));
  if (isNab) showNab(series, scores);
  const shipped: string[][] = [];
  const best: string[][] = [];
  for (const [{ name: detector, threshold }, list] of scores) {
    shipped.push([detector, ...eventCells(eventsAt(series, list, threshold))]);
    const within = eventsWithin(series, list, BUDGET_PER_10000);
    best.push([detector, ...eventCells(within), number(vusPr(series, list), 3)]);
  }
  showTable(`${name}, by event, at the shipped threshold (baselines: 3σ)`, HEAD, shipped);
  showTable(
    `${name}, by event, at the best threshold with at most ${BUDGET_PER_10000} false alarms per 10,000`,
    [...HEAD, 'VUS-PR'],
    best,
  );
}

/** Numenta's scoreboard (github.com/numenta/NAB) and ARTime's own report; standard profile, best threshold. */
const PUBLISHED: readonly (readonly [string, string])[] = [
  ['ARTime (knows the range of each file)', '74.9'],
  ['Numenta HTM (knows the range of each file)', '70.1'],
  ['CAD OSE (knows the range of each file)', '69.9'],
  ['earthgecko Skyline', '58.2'],
  ['KNN CAD', '58.0'],
  ['Random Cut Forest', '51.7'],
  ['Twitter ADVec', '47.1'],
  ['windowed Gaussian', '39.7'],
];

function showNab(
  series: readonly Series[],
  scores: ReadonlyMap<Contestant, readonly Float64Array[]>,
): void {
  const { standard, lowFalsePositives } = PROFILES;
  const own = [...scores].map(([{ name, threshold }, list]) => {
    const scored = prepare(series, list);
    return [
      name,
      number(nabScore(scored, bestThreshold(scored, standard), standard), 1),
      number(nabScore(scored, threshold, standard), 1),
      number(crossValidated(scored, standard), 1),
      number(nabScore(scored, bestThreshold(scored, lowFalsePositives), lowFalsePositives), 1),
    ];
  });
  const published = PUBLISHED.map(([name, score]) => [`${name}, published`, score, '', '', '']);
  showTable(
    'NAB score: 0 is silence, 100 perfect',
    ['detector', 'best threshold', 'shipped', 'chosen on other categories', 'low false positives'],
    [...own, ...published],
  );
}

function showRates(sets: readonly LabelledSet[]): void {
  const rows = sets.map(({ name, series }) => {
    const list = series.map((one) => scoresOf(tributary, one));
    const rates = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((score) =>
      number(eventsAt(series, list, score).falseAlarmsPer10000, 2),
    );
    return [name, ...rates];
  });
  showTable(
    'False alarms per 10,000 values from a score of',
    ['set', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9'],
    rows,
  );
}

function showCosts(): void {
  const { detector, ewma, bareEwma } = measureSpeed(60);
  showTable(
    'CPU an observation (µs, least of 60 rounds), batches of 20: state and observations in, state and verdicts out',
    ['detector', 'EWMA, called the same', 'ratio', 'EWMA, a bare loop', 'ratio'],
    [
      [
        number(detector, 2),
        number(ewma, 3),
        `${number(detector / ewma, 1)}×`,
        number(bareEwma, 3),
        `${number(detector / bareEwma, 1)}×`,
      ],
    ],
  );
  showTable(
    'CPU a value, batches of 20 readings with the state unpacked and packed around them; bytes a metric',
    ['devices', 'metrics each', 'µs a value', 'hot bytes', 'cold bytes'],
    measureCurve().map((point) => [
      String(point.devices),
      String(point.metrics),
      number(point.usPerValue, 2),
      number(point.hotBytesPerMetric, 0),
      number(point.coldBytesPerMetric, 0),
    ]),
  );
  showTable(
    `DynamoDB write units per 1,000 readings of 8 metrics, batches of ${BATCH_SECONDS} s`,
    [
      'reporting',
      'readings a batch',
      'write units',
      'state written per reading',
      'a device and batch',
      'in its first day',
    ],
    writeCosts(1000 * BATCH_SECONDS).map((cost) => [
      cost.fleet,
      number(cost.readingsPerBatch, 0),
      number(cost.packed, 0),
      number(cost.naive, 0),
      number(cost.perBatch, 3),
      number(cost.firstDay, 2),
    ]),
  );
}

function writePictures(folder: string, sets: readonly LabelledSet[]): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, series } of sets) {
    for (const { path, times, values, windows } of series) {
      const file = `${name}-${path.replaceAll('/', '-').replace(/\.csv$/, '')}.svg`;
      writeFileSync(
        join(folder, file),
        draw({ title: `${name}: ${path}`, times, values, windows }),
      );
    }
  }
}

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    pictures: { type: 'string' },
    seeds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const seeds = Number(values.seeds);
  if (!Number.isInteger(seeds) || seeds < 1) throw new Error('--seeds wants a whole number from 1');
  const sets = [generatedSet(), ...(values.data === undefined ? [] : readSets(values.data))];
  catalogue(seeds);
  for (const set of sets) showSet(set);
  showRates(sets);
  showCosts();
  if (values.pictures !== undefined) writePictures(values.pictures, sets);
}
