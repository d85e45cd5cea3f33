import { describe, expect, it } from '@jest/globals';
import {
  DEFAULT_LADDER,
  proposeContainment,
  rungFor,
} from '../../../../shared/core/security/containment.ts';
import {
  afterNotification,
  Incident,
  severityOf,
} from '../../../../shared/core/security/incident.ts';
import { noticeOf } from '../../../../shared/core/security/notice.ts';
import type { Notification } from '../../../../shared/core/security/notification.ts';

const T0 = 1_790_000_000_000;

const notification = (changes: Partial<Notification> = {}): Notification => ({
  id: 'n-1',
  type: 'alarm',
  subject: { kind: 'thing', name: 'probe-1' },
  cause: 'flood',
  alarm: 'a-1',
  atMs: T0,
  says: 'messages-sent: 400',
  behavior: 'messages-sent',
  severity: undefined,
  ...changes,
});

const incidentAfter = (...notifications: readonly Notification[]): Incident => {
  const incident = notifications.reduce<Incident | undefined>(
    (before, one) => afterNotification(before, one, false),
    undefined,
  );
  return Incident.parse(incident);
};

describe('an incident', () => {
  it('is one of a thousand violations', () => {
    const many = Array.from({ length: 1_000 }, (_, at) =>
      notification({ id: `n-${at}`, alarm: `a-${at}`, atMs: T0 + at }),
    );
    const incident = incidentAfter(...many);
    expect(incident).toMatchObject({
      state: 'open',
      count: 1_000,
      episode: 1,
      firstAtMs: T0,
      lastAtMs: T0 + 999,
    });
    expect(JSON.stringify(incident).length).toBeLessThan(8_000);
  });

  it('counts a notification that comes again once', () => {
    expect(incidentAfter(notification(), notification()).count).toBe(1);
  });

  it('is cleared when its last alarm is', () => {
    const two = notification({ id: 'n-2', alarm: 'a-2' });
    const clear = (alarm: string) => notification({ id: `c-${alarm}`, type: 'cleared', alarm });
    expect(incidentAfter(notification(), two, clear('a-1')).state).toBe('open');
    expect(incidentAfter(notification(), two, clear('a-1'), clear('a-2')).state).toBe('cleared');
  });

  it('does not open for an alarm whose end came first', () => {
    const clear = notification({ id: 'c', type: 'cleared' });
    expect(incidentAfter(clear, notification())).toMatchObject({
      state: 'closed',
      count: 1,
      alarms: [],
    });
  });

  it('opens again as the next episode', () => {
    const clear = notification({ id: 'c', type: 'cleared' });
    const again = notification({ id: 'n-2', alarm: 'a-2' });
    expect(incidentAfter(notification(), clear, again)).toMatchObject({
      state: 'open',
      episode: 2,
    });
  });

  it('stays contained when its alarm ends', () => {
    const contained: Incident = { ...incidentAfter(notification()), state: 'contained' };
    const clear = notification({ id: 'c', type: 'cleared' });
    expect(afterNotification(contained, clear, false).state).toBe('contained');
  });

  it('is suppressed where its behaviour is', () => {
    expect(afterNotification(undefined, notification(), true)).toMatchObject({
      state: 'suppressed',
      count: 1,
    });
  });
});

describe('an incident of an audit', () => {
  const audit = (at: number, type: 'audit' | 'complied') =>
    notification({ id: `t-${at}`, alarm: `t-${at}`, type, atMs: T0 + at, behavior: undefined });

  it('is over when a later audit finds nothing, and opens again when one does', () => {
    const over = incidentAfter(audit(1, 'audit'), audit(2, 'audit'), audit(3, 'complied'));
    expect(over).toMatchObject({ state: 'cleared', count: 2, alarms: [] });
    expect(afterNotification(over, audit(4, 'audit'), false)).toMatchObject({
      state: 'open',
      episode: 2,
    });
  });

  it('goes on where an audit from before found nothing', () => {
    expect(incidentAfter(audit(2, 'audit'), audit(1, 'complied')).state).toBe('open');
  });

  it('changes nothing when all is well, however often that is said', () => {
    const over = incidentAfter(audit(1, 'audit'), audit(2, 'complied'));
    expect(afterNotification(over, audit(3, 'complied'), false)).toBe(over);
    expect(afterNotification(over, audit(4, 'audit'), false).state).toBe('open');
  });
});

describe('severity', () => {
  it.each([
    [{ cause: 'flood', episode: 1 }, 'normal', undefined, 'MEDIUM'],
    [{ cause: 'flood', episode: 1 }, 'critical', undefined, 'HIGH'],
    [{ cause: 'shared-credential', episode: 3 }, 'critical', undefined, 'CRITICAL'],
    [{ cause: 'audit-x', episode: 1 }, 'normal', 'CRITICAL', 'CRITICAL'],
    [{ cause: 'new', episode: 1 }, 'normal', undefined, 'LOW'],
  ] as const)('of %j at a %s thing, given %s, is %s', (incident, criticality, given, severity) => {
    expect(severityOf(incident, { criticality, given })).toBe(severity);
  });
});

describe('containment', () => {
  const facts = {
    fleet: 'acme',
    criticality: 'normal',
    isGateway: false,
    certificates: ['a'.repeat(64)],
    sharedWith: [],
  } as const;
  const open = { ...incidentAfter(notification()) };
  const circumstances = { ladder: DEFAULT_LADDER, spared: new Set<string>(), facts };

  it.each([
    ['a flood', open, circumstances, 'cut-off'],
    ['a cause of no rung', { ...open, cause: 'new' }, circumstances, 'notify'],
    [
      'no thing',
      { ...open, subject: { kind: 'account' as const, name: 'x' } },
      circumstances,
      'notify',
    ],
    ['a thing that is gone', open, { ...circumstances, facts: undefined }, 'notify'],
    ['a gateway', open, { ...circumstances, facts: { ...facts, isGateway: true } }, 'notify'],
    ['a spared thing', open, { ...circumstances, spared: new Set(['probe-1']) }, 'notify'],
  ] as const)('of %s', (_what, incident, given, rung) => {
    expect(proposeContainment(incident, given).rung).toBe(rung);
  });

  it.each([
    [['x'], 'quarantine'],
    [['x', 'y'], 'cut-off'],
    [['z'], 'notify'],
    [[], 'notify'],
  ] as const)('for the behaviours %j goes as far as the highest of them', (behaviors, rung) => {
    const ladder = { x: 'quarantine', y: 'cut-off', flood: 'notify' } as const;
    expect(rungFor({ cause: 'flood', behaviors: [...behaviors] }, ladder)).toBe(rung);
  });
});

describe('a notice', () => {
  it('says what, which device, since when, what was done and what to do', () => {
    const incident: Incident = {
      ...incidentAfter(notification()),
      fleet: 'acme',
      severity: 'MEDIUM',
      containment: { rung: 'cut-off', state: 'proposed', why: 'x' },
    };
    const { subject, body } = noticeOf(incident);
    expect(subject).toBe('MEDIUM flood: probe-1 open');
    expect(body).toContain('flood at thing probe-1 of fleet acme.');
    expect(body).toContain('Seen once, at 2026-09-21T14:13:20.000Z');
    expect(body).toContain('cut-off is proposed and not switched on');
    expect(body).toContain(`npm run incident -- contain ${incident.id}`);
  });

  it('is fit for a subject whatever a client id holds', () => {
    const name = `x\u202e\n${'é'.repeat(120)}`;
    const { subject } = noticeOf(incidentAfter(notification({ subject: { kind: 'thing', name } })));
    expect(subject).toMatch(/^[\x20-\x7e]{1,100}$/);
  });
});
