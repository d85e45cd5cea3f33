import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CHECK_NAMES } from '../../local/core/registry/index.ts';
import { METRICS } from '../../shared/core/security/metrics.ts';
import { parseNotification } from '../../shared/core/security/notification.ts';
import { EVERYTHING } from '../support/everything.ts';
import { packageService, resourcesOf } from '../support/template.ts';

const { template } = packageService({ stage: 'prod', params: EVERYTHING });

interface Entry {
  readonly names: readonly string[];
  readonly cells: readonly string[];
}

/** Rows of the tables whose first column is headed so. */
function entries(head: 'alarm' | 'cause'): readonly Entry[] {
  const found: Entry[] = [];
  let reading = false;
  for (const line of readFileSync('docs/runbook.md', 'utf8').split('\n')) {
    const cells = line.split('|').slice(1, -1);
    if (cells.length === 0) reading = false;
    else if (cells[0]?.trim() === head) reading = true;
    else if (reading && !/^[-\s]*$/.test(cells[0] ?? '')) {
      const names = [...(cells[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      found.push({ names, cells: cells.map((cell) => cell.trim()) });
    }
  }
  return found;
}

const namesIn = (head: 'alarm' | 'cause'): string[] => entries(head).flatMap(({ names }) => names);

/** The cause that `defend` makes of a finding of this check. */
function auditCause(checkName: string): string {
  const [notification] = parseNotification(
    JSON.stringify({
      findingId: 'f',
      taskId: 't',
      checkName,
      findingTime: 0,
      severity: 'LOW',
      nonCompliantResource: { resourceType: 'ACCOUNT_SETTINGS' },
    }),
    { accountId: '000000000000' },
  );
  return notification?.cause ?? '';
}

describe('the runbook', () => {
  it('has an entry for each alarm of the template, and for no other', () => {
    const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
      String(Properties?.['AlarmName']).replace('tributary-prod-', ''),
    );
    expect(new Set(namesIn('alarm'))).toEqual(new Set(alarms));
  });

  it('has an entry for each cause of an incident, and for no other', () => {
    const { EventPattern } = (template.Resources['ControlPlaneWatch']?.Properties ?? {}) as {
      EventPattern?: { detail: { eventName: readonly string[] } };
    };
    const causes = new Set([
      ...Object.values(METRICS).map(({ cause }) => cause),
      'unknown-metric',
      ...CHECK_NAMES.map(auditCause),
      ...(EventPattern?.detail.eventName ?? []).map((name) => `control-${name}`),
    ]);
    expect(new Set(namesIn('cause'))).toEqual(causes);
  });

  it.each(['alarm', 'cause'] as const)('names no %s twice', (head) => {
    const names = namesIn(head);
    expect(names).toHaveLength(new Set(names).size);
  });

  it('says of each what it means, what to look at and what to do', () => {
    const incomplete = [...entries('alarm'), ...entries('cause')].filter(
      ({ cells }) => cells.length !== 4 || cells.some((cell) => cell.length < 3),
    );
    expect(incomplete).toEqual([]);
  });
});
