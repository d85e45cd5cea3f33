import * as z from 'zod';
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

const Session = z.object({
  /** Network address; it changes with each join. */
  devAddr: z.string().max(16),
  window: z.object({
    floor: Counter,
    forgotten: Counter,
    ranges: z.array(z.tuple([Counter, Counter])),
  }),
  /** The last frame that arrived, whether it could be read or not. */
  heard: Counter,
  /** MICs of the session's first frames: the same frame under another MIC was made with other keys. */
  first: z.array(z.object({ fCnt: Counter, mic: z.string().max(16) })),
  /** The network counts beyond 16 bits: what is small is old, and no turn of the counter. */
  isWide: z.boolean(),
});
type Session = z.infer<typeof Session>;

/** A device's sessions, the one last heard first. */
export const Sessions = z.array(Session);
export type Sessions = readonly Session[];

/** A session before the last can still have frames under way. */
const SESSIONS_LIMIT = 4;
const FIRST_LIMIT = 8;
/** @see LoRaWAN 1.0.2, section 4.3.1.5, MAX_FCNT_GAP */
const GAP_LIMIT = 16_384;
const TURN = 65_536;

/** What tells a frame from others. */
export interface Frame {
  readonly devAddr: string | undefined;
  readonly fCnt: number;
  readonly mic: string | undefined;
  /** Whether the counter is known to have 32 bits. */
  readonly isWide?: boolean;
}

export interface Observation {
  readonly verdict: Verdict;
  /** Frames between the last one and this that were not heard; undefined for one that comes late or begins a session. */
  readonly lost: number | undefined;
  /** The sessions, once the frame is taken. */
  readonly taken: Sessions;
  /** The sessions, when it arrived but could not be read: it may come again, and is none that got lost. */
  readonly heard: Sessions;
}

/** Holds a frame against what a device has sent; changes nothing until its answer is kept. */
export function observe(sessions: Sessions, frame: Frame): Observation {
  const devAddr = frame.devAddr ?? '';
  const known = sessions.find((one) => one.devAddr === devAddr);
  const session = known === undefined || isOfOtherKeys(known, frame) ? newSession(devAddr) : known;
  const fCnt = unrolled(session, frame);
  const verdict = verdictOn(session.window, fCnt);
  if (verdict !== 'new') return { verdict, lost: undefined, taken: sessions, heard: sessions };
  const others = sessions.filter((one) => one.devAddr !== devAddr);
  const heard: Session = {
    ...session,
    heard: Math.max(session.heard, fCnt),
    first: withFirst(session.first, fCnt, frame.mic),
    isWide: session.isWide || frame.fCnt >= TURN || frame.isWide === true,
  };
  const window = take(session.window, fCnt);
  const taken: Session = { ...heard, window: { ...window, ranges: rangesOf(window) } };
  return {
    verdict,
    lost: session.heard >= 0 && fCnt > session.heard ? fCnt - session.heard - 1 : undefined,
    taken: [taken, ...others].slice(0, SESSIONS_LIMIT),
    heard: [heard, ...others].slice(0, SESSIONS_LIMIT),
  };
}

/** Two accounts of one device as one: each window holds what either of them held. */
export function mergeSessions(one: Sessions, other: Sessions): Sessions {
  const merged = one.map((session) => {
    const same = other.find(({ devAddr }) => devAddr === session.devAddr);
    if (same === undefined || same.first.some((frame) => isOfOtherKeys(session, frame)))
      return session;
    const window = merge(session.window, same.window);
    return {
      ...session,
      window: { ...window, ranges: rangesOf(window) },
      isWide: session.isWide || same.isWide,
    };
  });
  const missing = other.filter(({ devAddr }) =>
    one.every((session) => session.devAddr !== devAddr),
  );
  return [...merged, ...missing].slice(0, SESSIONS_LIMIT);
}

const newSession = (devAddr: string): Session => ({
  devAddr,
  window: { ...EMPTY_WINDOW, ranges: [] },
  heard: -1,
  first: [],
  isWide: false,
});

/** A device that joined again under the same address: its counter begins anew, and its MICs differ. */
const isOfOtherKeys = ({ first }: Session, { fCnt, mic }: Pick<Frame, 'fCnt' | 'mic'>): boolean =>
  mic !== undefined && first.some((known) => known.fCnt === fCnt && known.mic !== mic);

function withFirst(
  first: Session['first'],
  fCnt: number,
  mic: string | undefined,
): Session['first'] {
  if (mic === undefined || first.some((known) => known.fCnt === fCnt)) return first;
  return [...first, { fCnt, mic }]
    .sort((one, other) => one.fCnt - other.fCnt)
    .slice(0, FIRST_LIMIT);
}

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
