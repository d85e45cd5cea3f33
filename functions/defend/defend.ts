import * as z from 'zod';
import { containThing } from '../../shared/adapters/contain-thing.ts';
import type { Containment } from '../../shared/adapters/containment.ts';
import type { IncidentTable } from '../../shared/adapters/incident-table.ts';
import type { TimeLeft } from '../../shared/adapters/retry.ts';
import type { Topic } from '../../shared/adapters/topic.ts';
import { check } from '../../shared/core/check.ts';
import { deadLetter } from '../../shared/core/dead-letter.ts';
import { RejectedError, reject } from '../../shared/core/errors.ts';
import {
  type BudgetLimits,
  isQuiet,
  type QuietHours,
  requestContainment,
} from '../../shared/core/security/budget.ts';
import { SEVERITIES, type Severity } from '../../shared/core/security/check-names.ts';
import {
  type Ladder,
  type Mode,
  proposeContainment,
  type ThingFacts,
} from '../../shared/core/security/containment.ts';
import {
  afterNotification,
  type Incident,
  incidentId,
  severityOf,
} from '../../shared/core/security/incident.ts';
import { breakerNotice, noticeOf, tellingOf } from '../../shared/core/security/notice.ts';
import { type Notification, parseNotification } from '../../shared/core/security/notification.ts';
import type { BatchDeps, BatchResponse, Invocation } from '../../shared/lambda/batch.ts';
import { type Place, placeOf } from '../../shared/lambda/place.ts';
import { type QueueMessage, queueMessages } from '../../shared/lambda/queue-event.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface DefendDeps extends BatchDeps {
  readonly incidents: IncidentTable;
  readonly containment: Containment;
  readonly notifications: Topic;
  /** A machine-readable copy of what people are told. */
  readonly announce: (incident: Incident, timeLeft: TimeLeft) => Promise<void>;
  readonly findingsTopic: string;
  readonly notificationsTopic: string;
  readonly quarantinePolicy: string;
  readonly mode: Mode;
  readonly ladder: Ladder;
  readonly spared: ReadonlySet<string>;
  /** Behaviours that open no incident. */
  readonly suppressed: ReadonlySet<string>;
  readonly quietHours: QuietHours;
  readonly limits: BudgetLimits;
  readonly alertsLimit: number;
}

interface Run extends DefendDeps {
  readonly place: Place;
  readonly timeLeft: TimeLeft;
}

/** What SNS puts into a queue. */
const Delivery = z.object({
  Type: z.literal('Notification'),
  TopicArn: z.string(),
  Message: z.string(),
});

const TRIES = 20;
const ALERT_WINDOW_MS = 300_000;
const RESERVE_MS = 1_000;
/** Longer than an invocation takes, shorter than until a message that failed comes again. */
const CLAIM_MS = 120_000;

/**
 * Notifications of the topic `findings` → one incident a thing and cause, contained as far as the ladder, the budget
 * and the mode allow, and told once for each state it comes into.
 *
 * Every message may come again, to another container at the same time, and out of order: incidents and budget move by
 * conditional writes, containment can be repeated, and what was counted is not counted again.
 */
export const defend =
  (deps: DefendDeps) =>
  async (
    event: unknown,
    invocation: Invocation & { readonly invokedFunctionArn: string },
  ): Promise<BatchResponse> => {
    const run: Run = {
      ...deps,
      place: placeOf(invocation.invokedFunctionArn),
      timeLeft: () => invocation.getRemainingTimeInMillis() - RESERVE_MS,
    };
    const failed = new Set<string>();
    const read = await readAll(queueMessages(event), run, failed);
    for (const [id, group] of Map.groupBy(read, ({ incident }) => incident)) {
      try {
        await handle(
          id,
          group.map(({ notification }) => notification),
          run,
        );
      } catch (error) {
        deps.log('error', 'an incident failed and will be tried again', { incident: id, error });
        for (const { message } of group) failed.add(message.id);
      }
    }
    return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
  };

interface Read {
  readonly message: QueueMessage;
  readonly notification: Notification;
  readonly incident: string;
}

async function readAll(
  messages: readonly QueueMessage[],
  run: Run,
  failed: Set<string>,
): Promise<readonly Read[]> {
  const read: Read[] = [];
  for (const message of messages) {
    try {
      for (const notification of readMessage(message, run)) {
        const incident = incidentId(notification.subject, notification.cause);
        read.push({ message, notification, incident });
      }
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      if (!(await bury(message, error, run))) failed.add(message.id);
    }
  }
  return read;
}

/** Only what came over the own topic into the own queue is believed; whoever else invokes this is nobody. */
function readMessage(
  { body, accountId }: QueueMessage,
  { place, findingsTopic }: Run,
): readonly Notification[] {
  const { TopicArn, Message } = check(Delivery, parseJson(body), 'MALFORMED_NOTIFICATION');
  if (accountId !== place.accountId) {
    reject('FOREIGN_NOTIFICATION', 'eventSourceARN', 'is a queue of another account');
  }
  if (TopicArn !== topicArn(place, findingsTopic)) {
    reject('FOREIGN_NOTIFICATION', 'TopicArn', 'is not the topic of findings');
  }
  return parseNotification(Message, { accountId: place.accountId });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return reject('MALFORMED_NOTIFICATION', '(root)', 'is not JSON');
  }
}

async function bury(
  { id, body }: QueueMessage,
  error: RejectedError,
  { deadLetters, findingsTopic, log, now, timeLeft }: Run,
): Promise<boolean> {
  const origin = {
    stream: findingsTopic,
    partitionKey: id,
    sequenceNumber: id,
    data: Buffer.from(body).toString('base64'),
  };
  const failures = await deadLetters.send([deadLetter('defend', origin, error, now())], timeLeft);
  log('warn', 'notification rejected', { code: error.code, issues: error.issues, messageId: id });
  return failures.length === 0;
}

async function handle(id: string, notifications: readonly Notification[], run: Run): Promise<void> {
  const noted = await update(id, run, (before) => note(before, notifications, run));
  if (noted === undefined) return;
  const contained = await containIfDue(noted, run);
  if (contained !== undefined) await tell(contained, run);
}

function note(
  before: Incident | undefined,
  notifications: readonly Notification[],
  { suppressed }: Run,
): Incident | undefined {
  const after = notifications.reduce(
    (incident, one) =>
      afterNotification(incident, one, one.behavior !== undefined && suppressed.has(one.behavior)),
    before,
  );
  if (after === undefined) return undefined;
  if (after === before) return after;
  const given = notifications.find(({ severity }) => severity !== undefined)?.severity;
  const least = after.episode === before?.episode ? before.severity : 'LOW';
  const severity = graver(least, severityOf(after, { criticality: 'normal', given }));
  return { ...after, severity };
}

/** Within an episode an incident does not become less grave: that would be told as news. */
const graver = (one: Severity, other: Severity): Severity =>
  SEVERITIES.indexOf(one) > SEVERITIES.indexOf(other) ? one : other;

/** Reads, changes and writes, until nobody was faster. A change to the same is not written. */
async function update(
  id: string,
  { incidents, timeLeft }: Run,
  change: (before: Incident | undefined) => Incident | undefined,
): Promise<Incident | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await incidents.incident(id, timeLeft);
    const after = change(before);
    if (after === undefined || after === before) return before;
    const next = { ...after, version: (before?.version ?? 0) + 1 };
    if (await incidents.saveIncident(next, timeLeft)) return next;
  }
  throw new Error(`incident ${id} is written by too many at once`);
}

/**
 * Decides once for an incident and episode, and acts on what was decided: so that what a container that died had
 * begun is finished by the next, and a decision is not made twice.
 *
 * @returns nothing while somebody else is at it, who will tell of it as well
 */
async function containIfDue(incident: Incident, run: Run): Promise<Incident | undefined> {
  const decided =
    incident.state === 'open' && incident.containment === undefined
      ? await decide(incident, run)
      : incident;
  if (decided.state !== 'open' || decided.containment?.state !== 'granted') return decided;
  const { rung } = decided.containment;
  if (rung === 'notify') return decided;
  if (!(await claim(decided.id, 'contain', run))) return undefined;
  // read anew: between the decision and the act the thing may have changed
  const facts = await run.containment.facts(decided.subject.name, run.timeLeft);
  if (facts === undefined) return withdraw(decided, 'the registry has no such thing', run);
  const place = { iot: iotArn(run.place), quarantinePolicy: run.quarantinePolicy };
  const actions = await containThing(
    decided,
    rung,
    facts.certificates,
    { place, by: 'defend' },
    run,
    run.timeLeft,
  );
  if (actions.length === 0) return withdraw(decided, 'another incident contains the thing', run);
  const { id } = decided;
  run.log('warn', 'thing contained', { thing: decided.subject.name, incident: id, rung });
  return changed(id, run, (now) =>
    now.containment?.state !== 'granted'
      ? now
      : {
          ...now,
          state: 'contained',
          containment: { ...now.containment, state: 'done' },
          actions: [...now.actions, ...actions],
        },
  );
}

async function decide(incident: Incident, run: Run): Promise<Incident> {
  const { ladder, spared, mode, now } = run;
  const { id, cause, subject } = incident;
  if (subject.kind !== 'thing' || (ladder[cause] ?? 'notify') === 'notify') return incident;
  const set = (
    rung: NonNullable<Incident['containment']>['rung'],
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
  if (hopeless !== undefined) return set(ladder[cause] ?? 'notify', 'refused', hopeless);
  const facts = await run.containment.facts(subject.name, run.timeLeft);
  const { rung, why } = proposeContainment(incident, { ladder, spared, facts });
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
  const { incidents, limits, timeLeft } = run;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const budget = await incidents.budget(timeLeft);
    const verdict = requestContainment(budget, wanted, nowMs, limits);
    if (verdict.next !== undefined && !(await incidents.saveBudget(verdict.next, timeLeft))) {
      continue;
    }
    if (verdict.granted) return undefined;
    if (verdict.trips) await askSomebody(verdict.next?.tripped, run);
    return REFUSALS[verdict.why];
  }
  return 'the budget is asked by too many at once';
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

async function changed(
  id: string,
  run: Run,
  change: (before: Incident) => Incident,
): Promise<Incident> {
  const after = await update(id, run, (before) =>
    before === undefined ? undefined : change(before),
  );
  if (after === undefined) throw new Error(`incident ${id} is gone`);
  return after;
}

/**
 * Tells a state once. In quiet hours, only what is HIGH or CRITICAL; beyond the budget of alerts, nothing: the
 * incident is in the table all the same, and its next notification is the next occasion to tell.
 */
async function tell(incident: Incident, run: Run): Promise<void> {
  const telling = tellingOf(incident);
  if (incident.told === telling || incident.episode === 0 || incident.state === 'suppressed')
    return;
  const nowMs = run.now();
  const urgent = incident.severity === 'HIGH' || incident.severity === 'CRITICAL';
  if (!urgent && isQuiet(run.quietHours, nowMs)) return;
  if (!(await claim(incident.id, `tell ${telling}`, run))) return;
  const window = Math.floor(nowMs / ALERT_WINDOW_MS);
  const place = await run.incidents.countAlert(window, nowMs, run.timeLeft);
  if (place > run.alertsLimit) {
    if (place === run.alertsLimit + 1) await publish(TOO_MANY, run);
    return;
  }
  await publish(noticeOf(incident), run);
  await run.announce(incident, run.timeLeft);
  await changed(incident.id, run, (before) => ({ ...before, told: telling }));
}

/** @returns whether this is ours to do: nobody has claimed it lately, or who did has died since */
async function claim(id: string, on: string, run: Run): Promise<boolean> {
  let ours = false;
  const atMs = run.now();
  await changed(id, run, (before) => {
    const other = before.claim;
    ours = other?.on !== on || other.atMs + CLAIM_MS <= atMs;
    return ours ? { ...before, claim: { on, atMs } } : before;
  });
  return ours;
}

const TOO_MANY = {
  subject: 'HIGH more incidents than are told one by one',
  body: 'Within five minutes there were more incidents than alerts are sent for.\n\nNext:\n  npm run incident -- list\n',
} as const;

async function publish(
  { subject, body }: { readonly subject: string; readonly body: string },
  { notifications, notificationsTopic, place, timeLeft }: Run,
): Promise<void> {
  const arn = topicArn(place, notificationsTopic);
  const [failure] = await notifications.publish(arn, [{ subject, body }], timeLeft);
  if (failure !== undefined) throw new Error(`nobody was notified: ${failure.reason}`);
}

const topicArn = ({ partition, region, accountId }: Place, name: string): string =>
  `arn:${partition}:sns:${region}:${accountId}:${name}`;

const iotArn = ({ partition, region, accountId }: Place): string =>
  `arn:${partition}:iot:${region}:${accountId}`;
