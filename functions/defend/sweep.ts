import type { Incident } from '../../shared/core/security/incident.ts';
import { STORM_REST_MS, stormEnd } from '../../shared/core/security/storm.ts';
import { noted } from './note.ts';
import { changed, type Run } from './run.ts';
import { tell } from './tell.ts';

const DUE_LIMIT = 200;

/**
 * Each minute: tells what was held back, the gravest first, as far as the hour and the budget of alerts let it now;
 * and keeps the incidents of storms true until they are over.
 */
export async function sweep(run: Run): Promise<void> {
  for (const id of await run.incidents.dueIncidents(DUE_LIMIT, run.timeLeft)) {
    const found = await run.incidents.incident(id, run.timeLeft);
    // the index may be a moment behind
    if (found?.due === undefined) continue;
    const incident = found.due === 'storm' ? await followStorm(found, run) : found;
    const telling = await tell(incident, run);
    if (telling === 'over budget') return;
    // what comes behind it is no graver; the storms among it can wait for the morning as well
    if (telling === 'quiet' && found.due === 'alert') return;
  }
}

async function followStorm(incident: Incident, run: Run): Promise<Incident> {
  const { storms, now, timeLeft, place } = run;
  const { id, cause } = incident;
  const affected = await storms.affected(id, timeLeft);
  if (affected === undefined) return incident;
  const { things, notifications, lastAtMs } = affected;
  const isOver = now() - lastAtMs >= STORM_REST_MS;
  // first, so that whoever comes in between opens it anew
  if (isOver) await storms.markStorm(id, false, timeLeft);
  return changed(id, run, (before) => {
    const counted = withCount(before, things, notifications, lastAtMs);
    if (!isOver) return counted;
    const { due: _due, ...ended } = noted(
      counted,
      [stormEnd(place.accountId, cause, lastAtMs)],
      run,
    );
    return ended;
  });
}

function withCount(
  incident: Incident,
  things: number,
  notifications: number,
  atMs: number,
): Incident {
  if (incident.count === notifications) return incident;
  const says = `${things} devices, ${notifications} notifications so far`;
  const others = incident.evidence.filter((line) => !line.says.endsWith(' so far'));
  return {
    ...incident,
    count: notifications,
    lastAtMs: Math.max(incident.lastAtMs, atMs),
    evidence: [...others, { atMs, says }].slice(-10),
  };
}
