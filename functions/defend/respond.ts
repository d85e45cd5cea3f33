import { containThing } from '../../shared/adapters/security/contain-thing.ts';
import { requestContainment } from '../../shared/core/security/budget.ts';
import {
  higher,
  proposeContainment,
  rungFor,
  type ThingFacts,
} from '../../shared/core/security/containment.ts';
import { type Incident, type Rung, severityOf } from '../../shared/core/security/incident.ts';
import { breakerNotice } from '../../shared/core/security/notice.ts';
import { graver } from './note.ts';
import { changed, claim, type Run, TRIES } from './run.ts';
import { publish } from './tell.ts';

/**
 * Decides once for an incident and episode, and acts on what was decided: so that what a container that died had
 * begun is finished by the next, and a decision is not made twice.
 *
 * @param isNews  whether something was counted just now
 * @returns       nothing while somebody else is at it, who will tell of it as well
 */
export async function respond(
  incident: Incident,
  isNews: boolean,
  run: Run,
): Promise<Incident | undefined> {
  if (incident.subject.kind !== 'thing') return incident;
  if (incident.state === 'contained') return isNews ? lookAgain(incident, run) : incident;
  const decided =
    incident.state === 'open' && incident.containment === undefined
      ? await decide(incident, run)
      : incident;
  if (decided.state !== 'open' || decided.containment?.state !== 'granted') return decided;
  const mine = await claim(decided.id, 'contain', run);
  if (mine?.state !== 'open' || mine.containment?.state !== 'granted') return mine;
  // read anew: between the decision and the act the thing may have changed
  const facts = await run.containment.facts(decided.subject.name, placeOf(run), run.timeLeft);
  const { rung, why } = proposeContainment(mine, { ...run, facts });
  if (rung === 'notify' || facts === undefined) return withdraw(mine, why, run);
  return contain(mine, higher(rung, mine.containment.rung), facts, run);
}

async function contain(
  incident: Incident,
  rung: Rung,
  facts: ThingFacts,
  run: Run,
): Promise<Incident> {
  if (rung === 'notify') return incident;
  const { id, subject, cause } = incident;
  const means = { place: placeOf(run), by: 'defend', why: cause };
  const { actions } = await containThing(incident, rung, facts, means, run, run.timeLeft);
  run.log('warn', 'thing contained', { thing: subject.name, incident: id, rung });
  return changed(id, run, (now) => ({
    ...now,
    state: 'contained',
    containment: { rung, state: 'done', why: now.containment?.why ?? cause },
    actions: [...now.actions, ...actions].slice(-ACTIONS_LIMIT),
  }));
}

const ACTIONS_LIMIT = 60;

/**
 * A contained thing of which there is news has found another way in, a certificate that it did not have then, or has
 * done something that is answered with more. By itself, only what was contained by itself is followed.
 */
async function lookAgain(incident: Incident, run: Run): Promise<Incident | undefined> {
  const { containment, subject } = incident;
  if (containment?.state !== 'done' || run.mode !== 'contain') return incident;
  const [facts, denial] = await Promise.all([
    run.containment.facts(subject.name, placeOf(run), run.timeLeft),
    run.incidents.denial(subject.name, run.timeLeft),
  ]);
  if (facts === undefined || denial === undefined || facts.sharedWith.length > 0) return incident;
  const rung = higher(containment.rung, rungFor(incident, run.ladder));
  const known = new Set(denial.certificates.map(({ id }) => id));
  const isKnown = facts.certificates.every((id) => known.has(id));
  if (isKnown && rung === containment.rung) return incident;
  const isMine = await claim(incident.id, `contain ${facts.certificates.length} ${rung}`, run);
  if (isMine === undefined) return undefined;
  return contain(incident, rung, facts, run);
}

async function decide(incident: Incident, run: Run): Promise<Incident> {
  const { ladder, mode, now } = run;
  const { id, subject } = incident;
  const wanted = rungFor(incident, ladder);
  if (wanted === 'notify') return incident;
  const set = (
    rung: Rung,
    state: NonNullable<Incident['containment']>['state'],
    why: string,
    facts?: ThingFacts,
  ) =>
    changed(id, run, (before) =>
      before.containment !== undefined || before.state !== 'open'
        ? before
        : { ...weighed(before, facts), containment: { rung, state, why } },
    );
  const hopeless = await isHopeless(subject.name, run);
  if (hopeless !== undefined) return set(wanted, 'refused', hopeless);
  const facts = await run.containment.facts(subject.name, placeOf(run), run.timeLeft);
  const { rung, why } = proposeContainment(incident, { ...run, facts });
  if (rung === 'notify') return set(rung, 'refused', why, facts);
  const refusal = await spend({ thing: subject.name, fleet: facts?.fleet ?? '' }, now(), run);
  if (refusal !== undefined) return set(rung, 'refused', refusal, facts);
  return set(rung, mode === 'contain' ? 'granted' : 'proposed', why, facts);
}

const weighed = (incident: Incident, facts: ThingFacts | undefined): Incident =>
  facts === undefined
    ? incident
    : {
        ...incident,
        ...(facts.fleet === undefined ? {} : { fleet: facts.fleet }),
        severity: graver(
          incident.severity,
          severityOf(incident, { criticality: facts.criticality, given: undefined }),
        ),
      };

/** In a storm most answers are no, and need neither the registry nor a write. */
async function isHopeless(thing: string, run: Run): Promise<string | undefined> {
  const budget = await run.incidents.budget(run.timeLeft);
  const verdict = requestContainment(budget, { thing, fleet: '' }, run.now(), run.limits);
  return !verdict.granted && verdict.why === 'breaker' && !verdict.trips
    ? REFUSALS.breaker
    : undefined;
}

const REFUSALS = {
  budget: 'the budget of automatic containment is used up',
  breaker: 'too many things are hit at once, a person has been asked',
} as const;

/** @returns why there is no budget; nothing when there was */
async function spend(
  wanted: { readonly thing: string; readonly fleet: string },
  nowMs: number,
  run: Run,
): Promise<string | undefined> {
  const { incidents, limits, timeLeft, giveWay } = run;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const budget = await incidents.budget(timeLeft);
    const verdict = requestContainment(budget, wanted, nowMs, limits);
    if (verdict.next !== undefined && !(await incidents.saveBudget(verdict.next, timeLeft))) {
      await giveWay(tries);
      continue;
    }
    if (verdict.granted) return undefined;
    if (verdict.trips) await askSomebody(verdict.next?.tripped, run);
    return REFUSALS[verdict.why];
  }
  throw new Error('the budget is asked by too many at once');
}

async function askSomebody(
  tripped: { readonly scope: string; readonly untilMs: number } | undefined,
  run: Run,
): Promise<void> {
  if (tripped === undefined) return;
  run.log('error', 'automatic containment stopped', { scope: tripped.scope });
  await publish(breakerNotice(tripped.scope, tripped.untilMs), run);
}

const withdraw = (incident: Incident, why: string, run: Run): Promise<Incident> =>
  changed(incident.id, run, (before) =>
    before.containment?.state !== 'granted'
      ? before
      : { ...before, containment: { ...before.containment, state: 'refused', why } },
  );

const placeOf = ({ place: { partition, region, accountId }, quarantinePolicy }: Run) => ({
  iot: `arn:${partition}:iot:${region}:${accountId}`,
  quarantinePolicy,
});
