import { describe, expect, it } from '@jest/globals';
import type { RegistryChange } from '../../../../local/core/registry/index.ts';
import { createRevisions } from '../../../../local/runtime/broker/revisions.ts';
import { manualClock } from '../../stores/manual-clock.ts';

type Kind = RegistryChange['kind'];

function setup(propagationDelayMs = 0) {
  const clock = manualClock();
  const listeners = new Set<(change: RegistryChange) => void>();
  const propagated: string[] = [];
  const revisions = createRevisions({
    registry: {
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    propagationDelayMs,
    timers: clock.timer,
    onPropagated: ({ name }) => propagated.push(name),
  });
  const change = (kind: Kind, name: string): void => {
    for (const listener of listeners) listener({ kind, name, event: 'updated' });
  };
  return { clock, revisions, change, propagated, listeners };
}

describe('the revision of a connection', () => {
  it.each<[Kind, string, boolean]>([
    ['certificate', 'c1', true],
    ['certificate', 'c2', false],
    ['thing', 't1', true],
    ['thing', 't2', false],
    ['policy', 'any', true],
    ['thingGroup', 'any', true],
  ])('with a change of %s %s: grows is %s', (kind, name, grows) => {
    const { revisions, change } = setup();
    const before = revisions.of('c1', 't1');
    change(kind, name);
    expect(revisions.of('c1', 't1') > before).toBe(grows);
  });

  it('grows after the propagation delay, and then tells', () => {
    const { clock, revisions, change, propagated } = setup(5000);
    const before = revisions.of('c1', undefined);
    change('certificate', 'c1');
    clock.advance(4999);
    expect([revisions.of('c1', undefined), propagated]).toEqual([before, []]);
    clock.advance(1);
    expect(revisions.of('c1', undefined)).toBeGreaterThan(before);
    expect(propagated).toEqual(['c1']);
  });

  it('is followed no more when closed', () => {
    const { clock, revisions, change, listeners } = setup(5000);
    change('policy', 'p');
    revisions.close();
    expect([clock.pending(), listeners.size]).toEqual([0, 0]);
  });
});
