import { describe, expect, it } from '@jest/globals';
import { denialSteps, type Step } from '../../../../shared/core/security/containment.ts';
import {
  type Denial,
  type Holder,
  held,
  letGo,
  withCertificates,
} from '../../../../shared/core/security/denial.ts';

const holder = (incidentId: string, rung: Holder['rung']): Holder => ({
  incidentId,
  rung,
  cause: 'flood',
  by: 'defend',
  atMs: 1,
});

const ACTIVE = { id: 'a'.repeat(64), active: true };
const INACTIVE = { id: 'b'.repeat(64), active: false };

const denied = (rung: Holder['rung']): Denial =>
  withCertificates(held('probe-1', undefined, holder('one', rung)), [ACTIVE, INACTIVE]);

const actsOf = (steps: readonly Step[]): string[] => steps.map(({ act }) => act);

describe('a denial', () => {
  it('is as high as the highest of its holders, and names the first of these', () => {
    const one = held('probe-1', undefined, holder('one', 'quarantine'));
    expect(one).toMatchObject({ rung: 'quarantine', incidentId: 'one', version: 1 });
    const two = held('probe-1', one, holder('two', 'cut-off'));
    expect(two).toMatchObject({ rung: 'cut-off', incidentId: 'two', version: 2 });
    expect(letGo(two, 'two')).toMatchObject({ rung: 'quarantine', incidentId: 'one', version: 3 });
    expect(letGo(letGo(two, 'one'), 'two')).toMatchObject({ rung: 'none', holders: [] });
  });

  it('remembers of a certificate what it was before anything was done', () => {
    const again = withCertificates(denied('cut-off'), [{ ...ACTIVE, active: false }]);
    expect(again.certificates).toEqual([ACTIVE, INACTIVE]);
  });
});

describe('what makes a denial true', () => {
  it.each([
    [
      'cut-off',
      ['attach-quarantine', 'attach-quarantine', 'tell-device', 'deactivate', 'disconnect'],
    ],
    [
      'quarantine',
      ['attach-quarantine', 'attach-quarantine', 'activate', 'tell-device', 'disconnect'],
    ],
  ] as const)('refuses first and ends the session last: %s', (rung, acts) => {
    expect(actsOf(denialSteps(denied(rung), 'acme'))).toEqual(acts);
  });

  it('gives back what was taken, and nothing that was not there', () => {
    const steps = denialSteps(letGo(denied('cut-off'), 'one'), 'acme');
    expect(actsOf(steps)).toEqual([
      'detach-quarantine',
      'detach-quarantine',
      'activate',
      'tell-device',
      'tell-device',
    ]);
    expect(steps).toContainEqual({ act: 'activate', certificateId: ACTIVE.id });
  });

  it('tells the device where it may read, and keeps it told until the end', () => {
    const noticesOf = (denial: Denial) =>
      denialSteps(denial, 'acme').flatMap((step) => ('notice' in step ? [step.notice] : []));
    const [notice] = noticesOf(denied('quarantine'));
    expect(notice).toMatchObject({ topic: 'alert/acme/probe-1', retain: true });
    expect(JSON.parse(notice?.payload ?? '')).toMatchObject({
      v: 1,
      kind: 'containment',
      rung: 'quarantine',
      incident: 'one',
      cause: 'flood',
    });
    const [lastWord, takenBack] = noticesOf(letGo(denied('quarantine'), 'one'));
    expect(JSON.parse(lastWord?.payload ?? '')).toMatchObject({ rung: 'none' });
    expect(lastWord?.retain).toBe(false);
    expect(takenBack).toMatchObject({ payload: '', retain: true });
  });

  it.each([
    ['no fleet', 'probe-1', undefined],
    ['a fleet that is no level of a topic', 'probe-1', 'acme/+'],
    ['a name that is no level of a topic', 'probe/#', 'acme'],
  ])('tells nobody where there is %s', (_what, thing, fleet) => {
    const steps = denialSteps({ ...denied('cut-off'), thing }, fleet);
    expect(actsOf(steps)).not.toContain('tell-device');
  });
});
