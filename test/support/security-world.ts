import type { Containment } from '../../shared/adapters/containment.ts';
import type { Denial, IncidentTable } from '../../shared/adapters/incident-table.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import { type BudgetState, FRESH_BUDGET } from '../../shared/core/security/budget.ts';
import { describeStep, type ThingFacts } from '../../shared/core/security/containment.ts';
import type { Incident } from '../../shared/core/security/incident.ts';

/** Other invocations go on between a read and its write, as between calls to a table. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The table of incidents in memory, under the same conditions as the real one. */
export function memoryIncidents() {
  const incidents = new Map<string, Incident>();
  const denials = new Map<string, Denial>();
  const alerts = new Map<number, number>();
  const kept = { budget: FRESH_BUDGET as BudgetState };
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
    countAlert: async (window) => {
      const count = (alerts.get(window) ?? 0) + 1;
      alerts.set(window, count);
      return count;
    },
    denial: async (thing) => denials.get(thing),
    deny: async (denial) => {
      await turn();
      const other = denials.get(denial.thing);
      if (other !== undefined && other.incidentId !== denial.incidentId) return false;
      denials.set(denial.thing, denial);
      return true;
    },
    allow: async (thing) => {
      denials.delete(thing);
    },
  };
  return { table, incidents, denials };
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
      acts.push(describeStep(step));
      if (step.act === 'deactivate') status.set(step.certificateId, false);
    },
    restore: async (id, activate) => {
      acts.push(`restored ${id.slice(0, 12)}`);
      if (activate) status.set(id, true);
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
