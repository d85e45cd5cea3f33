import { expect, it } from '@jest/globals';
import { openScreen, paragraph } from '../../commands/screen.ts';

const TALLY = {
  messages: { mqtt: 2 },
  readings: { mqtt: 2 },
  deadLetters: 0,
  anomalies: 1,
  errorActions: 0,
  refused: 0,
};
const NEWS = { label: 'ANOMALY', lines: ['temperature of sensor-3 is stuck.', 'Why: …'] } as const;

function open(columns?: number) {
  let out = '';
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    err: () => undefined,
  };
  const screen = openScreen(columns === undefined ? terminal : { ...terminal, columns }, () => 0);
  return { screen, shown: () => out };
}

it('breaks a paragraph between words, beside its label', () => {
  expect(paragraph(['one two three', 'four'], 9 + 7)).toBe(
    'one two\n         three\n         four',
  );
  expect(paragraph(['a-very-long-word is whole'], 12)).toMatch(/^a-very-long-word\n/);
});

it('keeps the status at the foot of a terminal, and what it tells above', () => {
  const { screen, shown } = open(60);
  screen.status(TALLY);
  screen.tell(NEWS);
  const status = 'in: mqtt 2 · stored: mqtt 2 · dead letters: 0 · anomalies:…';
  expect(shown().replaceAll('\r\u001b[2K', '<erase>')).toBe(
    `<erase>${status}<erase>ANOMALY  temperature of sensor-3 is stuck.\n         Why: …\n${status}`,
  );
});

it('writes whole lines where there is no terminal', () => {
  const { screen, shown } = open();
  screen.tell(NEWS);
  screen.status(TALLY);
  screen.status(TALLY);
  expect(shown()).toBe(
    'ANOMALY  temperature of sensor-3 is stuck.\n         Why: …\n' +
      'in: mqtt 2 · stored: mqtt 2 · dead letters: 0 · anomalies: 1\n',
  );
});

it('says of a refusal who, why, and what would allow it, and of other notes all their facts', () => {
  const { screen, shown } = open();
  const refusal = { protocol: 'mqtt', clientId: 'probe-1', resource: 'arn:…', variables: {} };
  screen.log({
    ...{ level: 'warn', source: 'gateway', message: 'iot:Publish refused' },
    ...refusal,
    explanation: 'No statement allows it.',
    fix: 'add one',
  });
  const why = 'no certificate';
  screen.log({ level: 'warn', source: 'gateway', message: why, explanation: why });
  screen.log({ level: 'error', source: 'fleet', message: 'lost', thing: 'probe-1' });
  screen.log({ level: 'info', source: 'fleet', message: 'not worth saying' });
  expect(shown()).toBe(
    'note     gateway: iot:Publish refused  protocol="mqtt"  clientId="probe-1"\n' +
      '         No statement allows it.\n         To allow it: add one\n' +
      'note     gateway: no certificate\n' +
      'ERROR    fleet: lost  thing="probe-1"\n',
  );
});
