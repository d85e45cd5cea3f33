import * as z from 'zod';
import type { Notification } from '../../shared/core/security/notification.ts';
import type { BatchResponse, Invocation } from '../../shared/lambda/batch.ts';
import { placeOf } from '../../shared/lambda/place.ts';
import { queueMessages } from '../../shared/lambda/queue-event.ts';
import { noted } from './note.ts';
import { readAll } from './receive.ts';
import { respond } from './respond.ts';
import { type DefendDeps, type Run, update } from './run.ts';
import { divert } from './storm.ts';
import { sweep } from './sweep.ts';
import { tell } from './tell.ts';

const RESERVE_MS = 1_000;

/** The schedule's, each minute. */
const Tick = z.object({ tick: z.literal('sweep') });

/**
 * Notifications of the topic `findings` → one incident a thing and cause, contained as far as the ladder, the budget
 * and the mode allow, and told once for each state it comes into. On schedule, what could not be told is told.
 *
 * Every message may come again, to another container at the same time, and out of order: incidents, denials and budget
 * move by conditional writes, containment can be repeated, and what was counted is not counted again.
 */
export const defend =
  (deps: DefendDeps) =>
  async (
    event: unknown,
    invocation: Invocation & { readonly invokedFunctionArn: string },
  ): Promise<BatchResponse> => {
    const run: Run = {
      ...deps,
      id: deps.uuid(),
      place: placeOf(invocation.invokedFunctionArn),
      timeLeft: () => invocation.getRemainingTimeInMillis() - RESERVE_MS,
    };
    if (Tick.safeParse(event).success) {
      await sweep(run);
      return { batchItemFailures: [] };
    }
    const failed = new Set<string>();
    const read = await readAll(queueMessages(event), run, failed);
    for (const [id, group] of Map.groupBy(read, ({ incident }) => incident)) {
      const notifications = group.map(({ notification }) => notification);
      try {
        await handle(id, notifications, run);
      } catch (error) {
        deps.log('error', 'an incident failed and will be tried again', { incident: id, error });
        for (const { message } of group) failed.add(message.id);
      }
    }
    return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
  };

async function handle(id: string, notifications: readonly Notification[], run: Run): Promise<void> {
  const own = await run.incidents.incident(id, run.timeLeft);
  const { left, storm } = await divert(own, notifications, run);
  if (storm !== undefined) await tell(storm, run);
  if (left.length === 0) return;
  // that all is well with what nothing was ever wrong with is no incident
  if (own === undefined && left.every(({ type }) => type === 'complied')) return;
  let isNews = false;
  const change = (before: typeof own) => {
    const after = noted(before, left, run);
    isNews = after.count > (before?.count ?? 0);
    return after;
  };
  const incident = await update(id, run, change, { incident: own });
  if (incident === undefined) return;
  const answered = await respond(incident, isNews, run);
  if (answered !== undefined) await tell(answered, run);
}
