import * as z from 'zod';
import type { ExpiryTable, Pass } from '../../shared/adapters/access/expiry-table.ts';
import type { Registry } from '../../shared/adapters/access/registry.ts';
import {
  counted,
  daysLeft,
  type ExpiryCounts,
  isSoon,
  NO_CERTIFICATES,
} from '../../shared/core/access/expiry.ts';
import type { Invocation } from '../../shared/lambda/batch.ts';
import type { Log } from '../../shared/lambda/log.ts';

/** All this function needs from outside; a test passes plain objects. */
export interface ExpiryDeps {
  readonly registry: Pick<Registry, 'certificatesWith' | 'certificate'>;
  readonly table: ExpiryTable;
  /** The policy that every certificate of the stage carries. */
  readonly policyName: string;
  readonly stage: string;
  readonly log: Log;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** `begin`: the daily schedule; `continue`: the hourly one, for what a day's first run could not finish. */
const Tick = z.object({ tick: z.enum(['begin', 'continue']) });

/** Eight calls a second: the account has ten of a kind, and devices that register need some. */
const PACE_MS = 125;
/** Enough to save how far it came, with all tries. */
const RESERVE_MS = 30_000;
/** A pass that stands still for longer has met something that stays; the next begins anew. */
const STALE_MS = 3 * 86_400_000;

type TimeLeft = () => number;

/**
 * Once a day, goes through the certificates of the stage and says which end within 30 days: each by a line of the log,
 * and their numbers as metrics, on which there are alarms at 30, 7 and 1 days. What one invocation cannot finish, the
 * next goes on with.
 */
export const expiry =
  (deps: ExpiryDeps) =>
  async (event: unknown, invocation: Invocation): Promise<void> => {
    const { tick } = Tick.parse(event);
    const timeLeft: TimeLeft = () => invocation.getRemainingTimeInMillis() - RESERVE_MS;
    const pass = await passFor(tick, deps, invocation);
    if (pass === undefined) return;
    const counts = await walk(pass, deps, timeLeft, () => invocation.getRemainingTimeInMillis());
    if (counts === undefined) return;
    report(counts, deps);
    await deps.table.endPass(() => invocation.getRemainingTimeInMillis());
  };

async function passFor(
  tick: 'begin' | 'continue',
  { table, now }: ExpiryDeps,
  invocation: Invocation,
): Promise<Pass | undefined> {
  const open = await table.pass(() => invocation.getRemainingTimeInMillis());
  if (open !== undefined && now() - open.startedAtMs < STALE_MS) return open;
  return tick === 'begin'
    ? { startedAtMs: now(), marker: undefined, counts: NO_CERTIFICATES }
    : undefined;
}

/** @returns the counts of the whole pass; none when there was no time for it, and how far it came is saved */
async function walk(
  pass: Pass,
  deps: ExpiryDeps,
  timeLeft: TimeLeft,
  toTheEnd: TimeLeft,
): Promise<ExpiryCounts | undefined> {
  const { registry, table, policyName, log, sleep } = deps;
  let { marker, counts } = pass;
  do {
    if (timeLeft() <= 0) {
      log('info', 'certificates looked at so far', { certificates: counts.certificates });
      return undefined;
    }
    const page = await registry.certificatesWith(policyName, marker, toTheEnd);
    const looked = await lookAt(page.ids, counts, deps, timeLeft, toTheEnd);
    if (looked === undefined) return undefined;
    counts = looked;
    marker = page.marker;
    await table.savePass({ ...pass, marker, counts }, toTheEnd);
    await sleep(PACE_MS);
  } while (marker !== undefined);
  return counts;
}

/** @returns none when the time was over before the page was; the ends asked for so far are remembered */
async function lookAt(
  ids: readonly string[],
  before: ExpiryCounts,
  deps: ExpiryDeps,
  timeLeft: TimeLeft,
  toTheEnd: TimeLeft,
): Promise<ExpiryCounts | undefined> {
  const nowMs = deps.now();
  const known = await deps.table.known(ids, toTheEnd);
  let counts = before;
  for (const id of ids) {
    const kept = known.get(id);
    if (kept !== undefined && !isSoon(kept, nowMs)) {
      counts = counted(counts, kept, nowMs);
      continue;
    }
    if (timeLeft() <= 0) return undefined;
    counts = await ask(id, kept, counts, deps, toTheEnd);
  }
  return counts;
}

/** Asks for an end that is not known, and whether a certificate whose end is near is still in use. */
async function ask(
  id: string,
  kept: number | undefined,
  counts: ExpiryCounts,
  { registry, table, log, now, sleep }: ExpiryDeps,
  toTheEnd: TimeLeft,
): Promise<ExpiryCounts> {
  await sleep(PACE_MS);
  const certificate = await registry.certificate(id, toTheEnd);
  if (certificate === undefined) return counts;
  const { notAfterMs, status } = certificate;
  if (kept === undefined) await table.remember(id, notAfterMs, toTheEnd);
  if (status !== 'ACTIVE') return counts;
  if (isSoon(notAfterMs, now())) {
    log('warn', 'certificate ends soon', {
      certificateId: id,
      daysLeft: daysLeft(notAfterMs, now()),
    });
  }
  return counted(counts, notAfterMs, now());
}

/** A line in CloudWatch's embedded metric format: the log is the way of the metrics, and takes no further grant. */
function report(counts: ExpiryCounts, { log, stage, now }: ExpiryDeps): void {
  const Metrics = Object.keys(counts).map((Name) => ({ Name, Unit: 'Count' }));
  log('info', 'certificates looked at', {
    _aws: {
      Timestamp: now(),
      CloudWatchMetrics: [{ Namespace: 'Tributary', Dimensions: [['stage']], Metrics }],
    },
    stage,
    ...counts,
  });
}
