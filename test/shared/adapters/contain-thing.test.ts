import { describe, expect, it } from '@jest/globals';
import { containThing, releaseThing } from '../../../shared/adapters/contain-thing.ts';
import { afterNotification, type Incident } from '../../../shared/core/security/incident.ts';
import { memoryContainment, memoryIncidents } from '../../support/security-world.ts';

const CERTIFICATE = 'a'.repeat(64);
const MEANS = {
  place: { iot: 'arn:aws:iot:eu-central-1:000000000000', quarantinePolicy: 'quarantine' },
  by: 'ada',
  why: 'a test',
};
const timeLeft = () => 60_000;

const incidentOf = (cause: string): Incident =>
  afterNotification(
    undefined,
    {
      id: cause,
      type: 'alarm',
      subject: { kind: 'thing', name: 'probe-1' },
      cause,
      alarm: cause,
      atMs: 1,
      says: '',
      behavior: undefined,
      severity: undefined,
    },
    false,
  );

function setup() {
  const { table, denials } = memoryIncidents();
  const { containment, acts, status } = memoryContainment(new Map());
  const deps = { incidents: table, containment, now: () => 1 };
  return { deps, denials, acts, status };
}

describe('a thing that is let go', () => {
  it.each([
    { before: true, rung: 'cut-off' as const, after: true },
    { before: false, rung: 'cut-off' as const, after: false },
    { before: true, rung: 'quarantine' as const, after: true },
  ])('has back what it had before $rung: $before', async ({ before, rung, after }) => {
    const { deps, denials, status } = setup();
    status.set(CERTIFICATE, before);
    const flood = incidentOf('flood');
    await containThing(flood, rung, [CERTIFICATE], MEANS, deps, timeLeft);
    // again, as after a crash
    await containThing(flood, rung, [CERTIFICATE], MEANS, deps, timeLeft);
    const actions = await releaseThing(flood, MEANS, deps, timeLeft);
    expect(actions.map(({ by }) => by)).toEqual(['ada', 'ada']);
    expect(status.get(CERTIFICATE)).toBe(after);
    expect(denials.size).toBe(0);
  });

  it('is let go by the incident that contains it only', async () => {
    const { deps, denials } = setup();
    await containThing(incidentOf('flood'), 'cut-off', [CERTIFICATE], MEANS, deps, timeLeft);
    const other = incidentOf('oversize');
    expect(await containThing(other, 'cut-off', [CERTIFICATE], MEANS, deps, timeLeft)).toEqual([]);
    expect(await releaseThing(other, MEANS, deps, timeLeft)).toEqual([]);
    expect(denials.size).toBe(1);
  });
});
