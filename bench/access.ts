import { parseArgs } from 'node:util';
import { type AuthorizerCpu, measureAuthorizer } from './support/authorizer-cpu.ts';
import { type AuthorizerStart, measureStarts } from './support/authorizer-start.ts';
import { type Connects, measureConnects } from './support/connects.ts';
import { measureDecisions, type PolicyDecisions } from './support/policy-decisions.ts';

/*
 * What it costs to let somebody in: CPU of the authorizer for a call, beside what the library alone takes to verify
 * the same token, and what a new container of it loads. On the laptop: policy decisions a second beside comparing
 * strings, and connects a second over mutual TLS beside a server that does nothing else.
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
  decisions: measureDecisions(Math.ceil(rounds / 4)),
  connects: await measureConnects(Math.ceil(rounds / 4)),
};

const showCpu = ({ algorithm, authorizerUs, libraryUs, ratio, withinAim }: AuthorizerCpu): string =>
  `${algorithm}: authorizer ${authorizerUs.toFixed(0)} µs, library ${libraryUs.toFixed(0)} µs, ` +
  `${ratio.toFixed(2)}× (aim 1.3× + 50 µs: ${withinAim ? 'kept' : 'missed'})`;

const showStart = ({ name, bytes, importMs }: AuthorizerStart): string =>
  `${name}: ${(bytes / 1000).toFixed(0)} kB, ${importMs.toFixed(0)} ms of CPU to load`;

const thousands = (count: number): string => (Math.round(count / 1000) * 1000).toLocaleString('en');

const showDecisions = ({
  decisionsPerSecond,
  floorPerSecond,
  compileUs,
}: PolicyDecisions): string =>
  `policy decisions: ${thousands(decisionsPerSecond)}/s, comparing strings ${thousands(floorPerSecond)}/s ` +
  `(aim 200,000/s: ${decisionsPerSecond >= 200_000 ? 'kept' : 'missed'}); compiled in ${compileUs.toFixed(0)} µs`;

const showConnects = ({ gateway, bare, ratio }: Connects): string =>
  `connects over mutual TLS: gateway ${gateway.perSecond.toFixed(0)}/s at ${gateway.cpuMs.toFixed(2)} ms of CPU, ` +
  `bare TLS ${bare.perSecond.toFixed(0)}/s at ${bare.cpuMs.toFixed(2)} ms, ` +
  `${ratio.toFixed(2)}× (aim 0.7×: ${ratio >= 0.7 ? 'kept' : 'missed'})`;

process.stdout.write(
  values.json
    ? `${JSON.stringify(figures)}\n`
    : `${[...figures.authorizer.map(showCpu), ...figures.starts.map(showStart), showDecisions(figures.decisions), showConnects(figures.connects)].join('\n')}\n`,
);
