import { describe, expect, it } from '@jest/globals';
import { containThing, releaseThing } from '../../../../shared/adapters/security/contain-thing.ts';
import { afterNotification, type Incident } from '../../../../shared/core/security/incident.ts';
import { memoryContainment, memoryIncidents } from '../../../support/security-world.ts';

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
  const contain = (cause: string, rung: 'quarantine' | 'cut-off', certificates = [CERTIFICATE]) =>
    containThing(
      incidentOf(cause),
      rung,
      { fleet: 'acme', certificates },
      { ...MEANS, by: 'defend' },
      deps,
      timeLeft,
    );
  const release = (cause: string) => releaseThing(incidentOf(cause), 'acme', MEANS, deps, timeLeft);
  return { deps, denials, acts, status, contain, release };
}

describe('a thing that is let go', () => {
  it.each([
    { before: true, rung: 'cut-off' as const, after: true },
    { before: false, rung: 'cut-off' as const, after: false },
    { before: true, rung: 'quarantine' as const, after: true },
  ])('has back what it had before $rung: $before', async ({ before, rung, after }) => {
    const { denials, status, contain, release } = setup();
    status.set(CERTIFICATE, before);
    await contain('flood', rung);
    // again, as after a crash
    await contain('flood', rung);
    const released = await release('flood');
    expect(new Set(released?.actions.map(({ by }) => by))).toEqual(new Set(['ada']));
    expect(status.get(CERTIFICATE)).toBe(after);
    expect(denials.size).toBe(0);
  });

  it('by one incident is still held by another, as far as that one asks for', async () => {
    const { denials, status, acts, contain, release } = setup();
    await contain('flood', 'cut-off');
    await contain('oversize', 'quarantine');
    const lowered = await release('flood');
    expect(lowered?.denial).toMatchObject({
      rung: 'quarantine',
      incidentId: incidentOf('oversize').id,
    });
    expect(lowered?.actions[0]?.did).toMatch(/from cut-off to quarantine/);
    expect(status.get(CERTIFICATE)).toBe(true);
    expect(acts.join()).not.toContain('detached');
    expect((await release('oversize'))?.denial).toBeUndefined();
    expect(acts.join()).toContain('detached');
    expect(denials.size).toBe(0);
  });

  it('is let go by an incident that contains it only', async () => {
    const { denials, contain, release } = setup();
    await contain('flood', 'cut-off');
    expect(await release('oversize')).toBeUndefined();
    expect(denials.size).toBe(1);
  });

  it('in part, when somebody died over it, is let go whole the next time', async () => {
    const { deps, denials, status, contain, release } = setup();
    await contain('flood', 'cut-off');
    const dying = {
      ...deps,
      containment: {
        ...deps.containment,
        perform: async () => {
          throw new Error('killed');
        },
      },
    };
    const died = releaseThing(incidentOf('flood'), 'acme', MEANS, dying, timeLeft);
    await expect(died).rejects.toThrow('killed');
    expect(denials.get('probe-1')?.rung).toBe('none');
    await release('flood');
    expect(status.get(CERTIFICATE)).toBe(true);
    expect(denials.size).toBe(0);
  });

  it('while another incident takes hold of it ends contained, with nothing left open', async () => {
    const { deps, denials, status, contain, release } = setup();
    await contain('flood', 'cut-off');
    let isFirst = true;
    const { perform } = deps.containment;
    deps.containment.perform = async (step, place, left) => {
      if (isFirst) {
        isFirst = false;
        await contain('shared-credential', 'cut-off');
      }
      return perform(step, place, left);
    };
    const released = await release('flood');
    expect(released?.denial).toMatchObject({ rung: 'cut-off' });
    expect(denials.get('probe-1')?.holders).toMatchObject([{ cause: 'shared-credential' }]);
    expect(status.get(CERTIFICATE)).toBe(false);
  });
});

describe('a thing that is contained', () => {
  it('though its device cannot be told', async () => {
    const { deps, status, contain } = setup();
    const { perform } = deps.containment;
    deps.containment.perform = async (step, place, left) => {
      if (step.act === 'tell-device') throw new Error('no');
      return perform(step, place, left);
    };
    const { actions } = await contain('flood', 'cut-off');
    expect(actions.map(({ did }) => did).join()).toContain('could not tell the device');
    expect(status.get(CERTIFICATE)).toBe(false);
  });
});
