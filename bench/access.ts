import { parseArgs } from 'node:util';
import { type AuthorizerCpu, measureAuthorizer } from './support/authorizer-cpu.ts';
import { type AuthorizerStart, measureStarts } from './support/authorizer-start.ts';

/*
 * What it costs to let somebody in: CPU of the authorizer for a call, beside what the library alone takes to verify
 * the same token, and what a new container of it loads.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '40' },
  },
});
const rounds = Number(values.rounds);

const figures = {
  authorizer: await measureAuthorizer(rounds),
  starts: await measureStarts(Math.ceil(rounds / 4)),
};

const showCpu = ({ algorithm, authorizerUs, libraryUs, ratio, withinAim }: AuthorizerCpu): string =>
  `${algorithm}: authorizer ${authorizerUs.toFixed(0)} µs, library ${libraryUs.toFixed(0)} µs, ` +
  `${ratio.toFixed(2)}× (aim 1.3× + 50 µs: ${withinAim ? 'kept' : 'missed'})`;

const showStart = ({ name, bytes, importMs }: AuthorizerStart): string =>
  `${name}: ${(bytes / 1000).toFixed(0)} kB, ${importMs.toFixed(0)} ms of CPU to load`;

process.stdout.write(
  values.json
    ? `${JSON.stringify(figures)}\n`
    : `${[...figures.authorizer.map(showCpu), ...figures.starts.map(showStart)].join('\n')}\n`,
);
