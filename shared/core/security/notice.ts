import { safeText } from '../errors.ts';
import type { Incident } from './incident.ts';

/** What people are told: SNS takes 100 characters of ASCII as a subject. */
export interface Notice {
  readonly subject: string;
  readonly body: string;
}

const SUBJECT_LIMIT_CHARS = 100;

/** A state of an incident is told once; a repetition within it is not told. */
export const tellingOf = ({ state, severity, episode, containment }: Incident): string =>
  [state, severity, episode, containment?.rung ?? '', containment?.state ?? ''].join('|');

/**
 * What happened, to which device, since when, what was done, and what to do next with the command for it.
 *
 * @see Amazon SNS API Reference, Publish
 */
export function noticeOf(incident: Incident): Notice {
  const { id, subject, cause, state, severity, count, firstAtMs, lastAtMs, evidence } = incident;
  const name = plain(subject.name, 48);
  const lines = [
    `${cause} at ${subject.kind} ${name}${incident.fleet === undefined ? '' : ` of fleet ${incident.fleet}`}.`,
    `Seen ${count === 1 ? `once, at ${time(lastAtMs)}` : `${count} times from ${time(firstAtMs)} to ${time(lastAtMs)}`}; incident ${id}, ${severity}, ${state}.`,
    `Last: ${plain(evidence.at(-1)?.says ?? 'its end', 200)}.`,
    `Done: ${doneOf(incident)}.`,
    '',
    'Next:',
    ...nextOf(incident).map((line) => `  ${line}`),
  ];
  return {
    subject: plain(`${severity} ${cause}: ${name} ${state}`, SUBJECT_LIMIT_CHARS),
    body: `${lines.join('\n')}\n`,
  };
}

function doneOf({ containment, actions }: Incident): string {
  if (containment === undefined) return 'nothing but this message';
  const { rung, state, why } = containment;
  switch (state) {
    case 'done':
    case 'released':
      return actions
        .slice(-6)
        .map(({ did, by }) => `${did} (${by})`)
        .join('; ');
    case 'granted':
      return `${rung} is under way`;
    case 'proposed':
      return `nothing: ${rung} is proposed and not switched on`;
    case 'refused':
      return `nothing: ${why}`;
  }
}

function nextOf({ id, state, containment }: Incident): readonly string[] {
  const show = `npm run incident -- show ${id}`;
  if (state === 'contained') return [show, `npm run incident -- release ${id}`];
  if (state === 'open' && containment !== undefined && containment.rung !== 'notify') {
    return [show, `npm run incident -- contain ${id}`];
  }
  return [show];
}

/** One person is asked once when too many things are hit at once. */
export const breakerNotice = (scope: string, untilMs: number): Notice => ({
  subject: plain(`CRITICAL containment stopped: ${scope}`, SUBJECT_LIMIT_CHARS),
  body: [
    `Too many things of ${scope} are to be contained at once, which looks like one cause and not like many guilty devices.`,
    `Nothing is contained automatically until ${time(untilMs)}.`,
    '',
    'Next:',
    '  npm run incident -- list',
    '  npm run incident -- contain <id>',
    '  npm run incident -- resume',
    '',
  ].join('\n'),
});

/** Said once a window of time, in place of all that is over the budget of alerts; the rest is told when there is room. */
export const TOO_MANY: Notice = {
  subject: 'HIGH more incidents than are told one by one',
  body: [
    'Within five minutes there were more incidents than alerts are sent for. The others are told as there is room.',
    '',
    'Next:',
    '  npm run incident -- list',
    '',
  ].join('\n'),
};

const time = (ms: number): string => new Date(ms).toISOString();

const plain = (text: string, limit: number): string =>
  safeText(text, limit - 1)
    .replaceAll(/[^\x20-\x7e…]/g, '?')
    .replaceAll('…', '~')
    .slice(0, limit);
