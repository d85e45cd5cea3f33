import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { scoresOf, tributary } from './support/detection-contestants.ts';
import { readSets } from './support/detection-sets.ts';

const USAGE = `npm run detect:scores -- --data SET --out DIR

  Scores of the detector as shipped, one CSV a series with a line for each row, each seeing only the rows before.

  --data SET  a folder with data/ and labels/combined_windows.json, or of such folders
  --out DIR   where the scores go, under the same paths (a folder for each set if there are several)
`;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || values.data === undefined || values.out === undefined) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  const sets = readSets(values.data);
  for (const { name, series } of sets) {
    const folder = sets.length === 1 ? values.out : join(values.out, name);
    for (const one of series) {
      const path = join(folder, one.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, ['anomaly_score', ...scoresOf(tributary, one), ''].join('\n'));
    }
    console.log(`${name}: ${series.length} series in ${folder}`);
  }
}
