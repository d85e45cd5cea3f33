import * as z from 'zod';
import { TimeMs } from '../names.ts';
import {
  EMPTY_WINDOW,
  merge,
  type ReplayWindow,
  take,
  topOf,
  type Verdict,
  verdictOn,
} from './replay-window.ts';

const Counter = z.int().min(-1);

/** The same frame under another MIC was made with other keys. */
const Mark = z.object({ fCnt: Counter, mic: z.string().max(16) });
type Mark = z.infer<typeof Mark>;

const Session = z.object({
  /** Network address; it changes with each join, or nearly. */
  devAddr: z.string().max(16),
  window: z.object({
    floor: Counter,
    forgotten: Counter,
    ranges: z.array(z.tuple([Counter, Counter])),
  }),
  /** The last frame that arrived, whether it could be read or not. */
  heard: Counter,
  /** Of the session's first frames, and of its last. */
  first: z.array(Mark),
  last: Mark.optional(),
  /** When the network heard the earliest and the latest of its frames. */
  fromMs: TimeMs.optional(),
  untilMs: TimeMs.optional(),
  /** The network counts beyond 16 bits: what is small is old, and no turn of the counter. */
  isWide: z.boolean(),
});
type Session = z.infer<typeof Session>;

/** A device's sessions, the newest first. */
export const Sessions = z.array(Session);
export type Sessions = readonly Session[];

/** Counters of envelopes are kept beside those of the radio, as if of one session that no join ends. */
export const ENVELOPE = 'envelope';

/** A session before the last can still have frames under way. */
const SESSIONS_LIMIT = 4;
const FIRST_LIMIT = 8;
/** @see LoRaWAN 1.0.2, section 4.3.1.5, MAX_FCNT_GAP */
const GAP_LIMIT = 16_384;
const TURN = 65_536;
/** Gateways' clocks may differ so much: a frame that nobody took yet may come late. */
const CLOCKS_APART_MS = 60_000;

/** What tells a frame from others. */
export interface Frame {
  readonly devAddr: string | undefined;
  readonly fCnt: number;
  readonly mic: string | undefined;
  /** When the network heard it; the same however often it is delivered. */
  readonly heardAtMs?: number | undefined;
  /** Whether the counter is known to have 32 bits. */
  readonly isWide?: boolean;
}

export interface Observation {
  readonly verdict: Verdict;
  /** Frames between the last one and this that were not heard; undefined for one that comes late or begins a session. */
  readonly lost: number | undefined;
  /** With a new address, or with a counter that began anew under one that the device had before. */
  readonly began: 'join' | 'reset' | undefined;
  /** The sessions, once the frame is taken. */
  readonly taken: Sessions;
  /** The sessions, when it arrived but could not be read: it may come again, and is none that got lost. */
  readonly heard: Sessions;
}

/** Holds a frame against what a device has sent; changes nothing until its answer is kept. */
export function observe(sessions: Sessions, frame: Frame): Observation {
  const devAddr = frame.devAddr ?? '';
  const known = sessionOf(sessions, frame);
  const session = known ?? newSession(devAddr);
  const fCnt = unrolled(session, frame);
  const verdict = verdictOn(session.window, fCnt);
  const began = known === undefined ? beginningOf(sessions, devAddr) : undefined;
  if (verdict !== 'new')
    return { verdict, lost: undefined, began, taken: sessions, heard: sessions };
  const heard = withFrame(session, fCnt, frame);
  const window = take(session.window, fCnt);
  const taken: Session = { ...heard, window: { ...window, ranges: rangesOf(window) } };
  return {
    verdict,
    lost: session.heard >= 0 && fCnt > session.heard ? fCnt - session.heard - 1 : undefined,
    began,
    taken: withSession(sessions, known, taken),
    heard: withSession(sessions, known, heard),
  };
}

const beginningOf = (sessions: Sessions, devAddr: string): Observation['began'] =>
  sessions.some((one) => one.devAddr === devAddr) ? 'reset' : 'join';

/**
 * The session that a frame is of; none for the first of a new one. An address may come again after a join, and the
 * counter with it: MICs tell the sessions apart where they are remembered, and times where they are not. A counter
 * that is lower in a frame that was heard later has begun anew; a frame that is delivered again was heard before.
 */
function sessionOf(sessions: Sessions, frame: Frame): Session | undefined {
  const { heardAtMs } = frame;
  const own = sessions.filter((one) => one.devAddr === (frame.devAddr ?? ''));
  const marked = own.find(
    (one) => markOf(one, frame)?.mic === frame.mic && frame.mic !== undefined,
  );
  if (marked !== undefined) return marked;
  const session =
    heardAtMs === undefined
      ? own.find((one) => !isOfOtherKeys(one, frame))
      : (own.find(({ fromMs }) => fromMs === undefined || fromMs <= heardAtMs) ?? own.at(-1));
  if (session === undefined || isOfOtherKeys(session, frame)) return undefined;
  const fCnt = unrolled(session, frame);
  if (heardAtMs === undefined || session.untilMs === undefined) return session;
  const laterMs = heardAtMs - session.untilMs;
  const isTaken = verdictOn(session.window, fCnt) !== 'new';
  const beganAnew = fCnt < session.heard && laterMs > (isTaken ? 0 : CLOCKS_APART_MS);
  return beganAnew ? undefined : session;
}

function withFrame(session: Session, fCnt: number, { mic, heardAtMs, ...frame }: Frame): Session {
  const times = [session.fromMs, session.untilMs, heardAtMs].filter((time) => time !== undefined);
  const mark = mic === undefined ? undefined : { fCnt, mic };
  return {
    ...session,
    heard: Math.max(session.heard, fCnt),
    first: mark === undefined ? session.first : earliest([...session.first, mark]),
    ...(mark !== undefined && fCnt >= session.heard && { last: mark }),
    ...(times.length > 0 && { fromMs: Math.min(...times), untilMs: Math.max(...times) }),
    isWide: session.isWide || frame.fCnt >= TURN || frame.isWide === true,
  };
}

/** In the place of the session that it was, or where a new one belongs; the oldest make room. */
function withSession(sessions: Sessions, known: Session | undefined, next: Session): Sessions {
  if (known !== undefined) return sessions.map((one) => (one === known ? next : one));
  const { fromMs = Number.POSITIVE_INFINITY } = next;
  const at = sessions.findIndex((one) => one.devAddr !== ENVELOPE && (one.fromMs ?? 0) <= fromMs);
  return bounded(sessions.toSpliced(at < 0 ? sessions.length : at, 0, next));
}

function bounded(sessions: Sessions): Sessions {
  const onAir = sessions.filter(({ devAddr }) => devAddr !== ENVELOPE).slice(0, SESSIONS_LIMIT);
  return sessions.filter((one) => one.devAddr === ENVELOPE || onAir.includes(one));
}

/** Two accounts of one device as one: each window holds what either of them held. */
export function mergeSessions(one: Sessions, other: Sessions): Sessions {
  const merged = one.map((session) => {
    const same = other.find((another) => isSame(session, another));
    return same === undefined ? session : mergeSession(session, same);
  });
  const missing = other.filter((another) => one.every((session) => !isSame(session, another)));
  const all = [...merged, ...missing];
  return bounded(all.toSorted((a, b) => (b.fromMs ?? 0) - (a.fromMs ?? 0)));
}

function mergeSession(one: Session, other: Session): Session {
  const window = merge(one.window, other.window);
  const ahead = one.heard >= other.heard ? one : other;
  const times = [one, other].flatMap(({ fromMs, untilMs }) => [fromMs ?? [], untilMs ?? []].flat());
  return {
    ...ahead,
    window: { ...window, ranges: rangesOf(window) },
    first: earliest([...one.first, ...other.first]),
    ...(times.length > 0 && { fromMs: Math.min(...times), untilMs: Math.max(...times) }),
    isWide: one.isWide || other.isWide,
  };
}

/** Two accounts of one session: no frame has two MICs, and one is in both, or the beginning is. */
function isSame(one: Session, other: Session): boolean {
  if (one.devAddr !== other.devAddr) return false;
  const [marks, others] = [marksOf(one), marksOf(other)];
  if (marks.length === 0 || others.length === 0) return true;
  const inBoth = marks.flatMap(({ fCnt, mic }) =>
    others.filter((mark) => mark.fCnt === fCnt).map((mark) => mark.mic === mic),
  );
  return inBoth.every(Boolean) && (inBoth.length > 0 || one.fromMs === other.fromMs);
}

const newSession = (devAddr: string): Session => ({
  devAddr,
  window: { ...EMPTY_WINDOW, ranges: [] },
  heard: -1,
  first: [],
  isWide: false,
});

const marksOf = ({ first, last }: Session): readonly Mark[] =>
  last === undefined ? first : [...first, last];

const markOf = (session: Session, frame: Frame): Mark | undefined => {
  const fCnt = unrolled(session, frame);
  return marksOf(session).find((mark) => mark.fCnt === fCnt);
};

/** A device that joined again under the same address: its counter begins anew, and its MICs differ. */
function isOfOtherKeys(session: Session, frame: Frame): boolean {
  const mark = markOf(session, frame);
  return mark !== undefined && frame.mic !== undefined && mark.mic !== frame.mic;
}

const earliest = (marks: readonly Mark[]): Mark[] =>
  [...new Map(marks.map((mark) => [mark.fCnt, mark])).values()]
    .sort((one, other) => one.fCnt - other.fCnt)
    .slice(0, FIRST_LIMIT);

/** A counter of 16 bits, continued: the frame nearest to the last that such a counter can mean. */
function unrolled(session: Session, { fCnt, isWide = false }: Frame): number {
  const top = Math.max(session.heard, topOf(session.window));
  if (session.isWide || isWide || fCnt >= TURN || top < 0) return fCnt;
  const turn = top - (top % TURN);
  const candidates = [turn - TURN + fCnt, turn + fCnt, turn + TURN + fCnt];
  const near = candidates.find((one) => one >= 0 && Math.abs(one - top) < GAP_LIMIT);
  return near ?? fCnt;
}

const rangesOf = ({ ranges }: ReplayWindow): [number, number][] =>
  ranges.map(([from, to]) => [from, to]);
