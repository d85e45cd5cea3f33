import { expect, it } from '@jest/globals';
import { incidentLine } from '../../commands/show-incidents.ts';

const EVENT = {
  source: 'tributary',
  'detail-type': 'Security incident',
  detail: {
    id: '0123456789abcdef',
    state: 'contained',
    severity: 'MEDIUM',
    cause: 'flood',
    subject: { kind: 'thing', name: 'probe-1' },
    containment: { rung: 'cut-off', state: 'done', why: 'flood' },
  },
};

it('an incident is a line that says what, where, what was done and what to type', () => {
  expect(incidentLine(EVENT)).toBe(
    'incident  MEDIUM flood at probe-1: contained (cut-off done)  npm run incident -- show 0123456789abcdef',
  );
});

it.each([{ ...EVENT, source: 'aws.iot' }, { ...EVENT, detail: {} }, undefined])(
  'another event is none',
  (event) => {
    expect(incidentLine(event)).toBeUndefined();
  },
);
