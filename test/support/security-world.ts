import type { Containment } from '../../shared/adapters/security/containment.ts';
import type { IncidentTable } from '../../shared/adapters/security/incident-table.ts';
import type { StormTable } from '../../shared/adapters/security/storm-table.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import { type BudgetState, FRESH_BUDGET } from '../../shared/core/security/budget.ts';
import { SEVERITIES } from '../../shared/core/security/check-names.ts';
import { describeStep, type ThingFacts } from '../../shared/core/security/containment.ts';
import type { Denial } from '../../shared/core/security/denial.ts';
import type { Incident } from '../../shared/core/security/incident.ts';

/** Other invocations go on between a read and its write, as between calls to a table. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The table of incidents in memory, under the same conditions as the real one. */
export function memoryIncidents() {
  const incidents = new Map<string, Incident>();
  const denials = new Map<string, Denial>();
  const counts = new Map<string, number>();
  const kept = { budget: FRESH_BUDGET as BudgetState };
  const countOne = (key: string): number => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };
  const table: IncidentTable = {
    incident: async (id) => {
      await turn();
      return structuredClone(incidents.get(id));
    },
    saveIncident: async (incident) => {
      await turn();
      if ((incidents.get(incident.id)?.version ?? 0) !== incident.version - 1) return false;
      incidents.set(incident.id, structuredClone(incident));
      return true;
    },
    incidents: async () => [...incidents.values()],
    dueIncidents: async (limit) =>
      [...incidents.values()]
        .filter(({ due }) => due !== undefined)
        .toSorted(
          (one, other) => SEVERITIES.indexOf(other.severity) - SEVERITIES.indexOf(one.severity),
        )
        .slice(0, limit)
        .map(({ id }) => id),
    budget: async () => {
      await turn();
      return kept.budget;
    },
    saveBudget: async (budget) => {
      await turn();
      if (kept.budget.version !== budget.version - 1) return false;
      kept.budget = budget;
      return true;
    },
    countAlert: async (window) => countOne(`alerts ${window}`),
    denial: async (thing) => structuredClone(denials.get(thing)),
    saveDenial: async (denial) => {
      await turn();
      if ((denials.get(denial.thing)?.version ?? 0) !== denial.version - 1) return false;
      denials.set(denial.thing, structuredClone(denial));
      return true;
    },
    dropDenial: async ({ thing, version }) => {
      await turn();
      if ((denials.get(thing)?.version ?? version) !== version) return false;
      denials.delete(thing);
      return true;
    },
  };
  const { storms, affected } = memoryStorms(countOne);
  return { table, incidents, denials, storms, affected };
}

function memoryStorms(countOne: (key: string) => number) {
  /** Ids of notifications, by thing and cause. */
  const affected = new Map<string, Set<string>>();
  const totals = new Map<
    string,
    { things: number; notifications: number; lastAtMs: number; opened: boolean }
  >();
  const totalOf = (id: string) => {
    const total = totals.get(id) ?? { things: 0, notifications: 0, lastAtMs: 0, opened: false };
    totals.set(id, total);
    return total;
  };
  const storms: StormTable = {
    countOpening: async (cause, window) => countOne(`openings ${cause} ${window}`),
    affectedBy: async (thing, cause) => new Set(affected.get(`${thing} ${cause}`)),
    affect: async ({ thing, cause, ids }) => {
      await turn();
      const before = affected.get(`${thing} ${cause}`) ?? new Set<string>();
      affected.set(`${thing} ${cause}`, new Set([...before, ...ids]));
      return { isNew: before.size === 0, added: new Set(ids).difference(before).size };
    },
    countAffected: async (id, { things, notifications }, nowMs) => {
      const total = totalOf(id);
      total.things += things;
      total.notifications += notifications;
      total.lastAtMs = nowMs;
      return total.opened;
    },
    markStorm: async (id, opened) => {
      totalOf(id).opened = opened;
    },
    affected: async (id) => totals.get(id),
  };
  return { storms, affected };
}

/** The registry in memory, and everything that was done to it. */
export function memoryContainment(things: ReadonlyMap<string, ThingFacts>) {
  const acts: string[] = [];
  const status = new Map<string, boolean>();
  const containment: Containment = {
    facts: async (thing) => {
      await turn();
      return things.get(thing);
    },
    isActive: async (id) => status.get(id) ?? true,
    perform: async (step) => {
      if (step.act === 'deactivate' || step.act === 'activate') {
        const active = step.act === 'activate';
        if ((status.get(step.certificateId) ?? true) === active) return false;
        status.set(step.certificateId, active);
      }
      acts.push(describeStep(step));
      return true;
    },
  };
  return { containment, acts, status };
}

/** Dead letters in memory. */
export function memoryLetters() {
  const letters: DeadLetter[] = [];
  const deadLetters = {
    send: async (sent: readonly DeadLetter[]) => {
      letters.push(...sent);
      return [];
    },
  };
  return { letters, deadLetters };
}
