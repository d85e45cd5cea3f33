import type { Log } from '../../core/log.ts';
import { isRevokedBy, revocationListsOf } from '../../pki/index.ts';

/** Whether its issuer's list names a certificate; undefined where no list says so either way. */
export type Revocations = (
  pem: string,
  issuerPem: string | undefined,
) => Promise<boolean | undefined>;

/** Gets a list; a test passes its own. @throws {Error} saying why there is none */
export type FetchList = (url: string) => Promise<Uint8Array>;

const PATIENCE_MS = 5_000;
const MOST_BYTES = 1_000_000;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Reads lists over HTTP on this machine only: a laptop calls nobody because a certificate says so. */
export const fetchList: FetchList = async (url) => {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' || !LOOPBACK.has(hostname))
    throw new Error('only lists on this machine, over http, are read here');
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
  if (!answer.ok) throw new Error(`the answer was ${answer.status}`);
  const list = new Uint8Array(await answer.arrayBuffer());
  if (list.length > MOST_BYTES) throw new Error(`it is longer than ${MOST_BYTES} bytes`);
  return list;
};

/** Reads each list once; made anew for each audit. */
export function createRevocations(fetchOne: FetchList, log: Log): Revocations {
  const lists = new Map<string, Promise<Uint8Array>>();
  const listAt = (url: string): Promise<Uint8Array> => {
    const list = lists.get(url) ?? fetchOne(url);
    lists.set(url, list);
    return list;
  };
  return async (pem, issuerPem) => {
    for (const url of revocationListsOf(pem)) {
      try {
        return await isRevokedBy(await listAt(url), pem, issuerPem);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        log({ level: 'warn', source: 'audit', message: `revocation list ${url}: ${why}` });
      }
    }
    return undefined;
  };
}
