import type { Laptop } from '../local/cloud.ts';
import { openDashboard } from '../local/fleet/dashboard.ts';
import { AnomalyRecord } from '../shared/core/detection/anomaly-record.ts';

/** Whoever watches anomalies of every fleet, and nothing else. */
const CLIENT_ID = 'anomaly-screen';
const FILTER = 'an/+/+';

/** Counts the anomalies that are open, and hears of each change. */
export interface AnomalyWatch {
  readonly open: () => number;
  readonly stop: () => Promise<void>;
}

/**
 * Subscribes to the topics of anomalies as a dashboard does, with temporary keys that allow this alone.
 *
 * @param say  hears what is to be shown, a paragraph each
 */
export async function watchAnomalies(
  laptop: Pick<Laptop, 'accountId' | 'region' | 'port443' | 'caPem' | 'addSession'>,
  say: (text: string) => void,
): Promise<AnomalyWatch> {
  const { accountId, region, port443, caPem } = laptop;
  const arn = (resource: string) => `arn:aws:iot:${region}:${accountId}:${resource}`;
  const allow = (Action: string, ...resources: readonly string[]) => ({
    Effect: 'Allow',
    Action,
    Resource: resources.map(arn),
  });
  const keys = laptop.addSession({
    name: CLIENT_ID,
    policies: [
      {
        name: 'anomalies',
        document: {
          Version: '2012-10-17',
          Statement: [
            allow('iot:Connect', `client/${CLIENT_ID}`),
            allow('iot:Subscribe', `topicfilter/${FILTER}`),
            allow('iot:Receive', 'topic/an/*'),
          ],
        },
      },
    ],
  });
  const news = createNews();
  const dashboard = await openDashboard({
    host: `localhost:${port443}`,
    region,
    keys,
    clientId: CLIENT_ID,
    caPem,
    filter: FILTER,
    now: Date.now,
    onMessage: (_topic, payload) => {
      const text = news.take(AnomalyRecord.parse(JSON.parse(payload.toString())));
      if (text !== undefined) say(text);
    },
  });
  return { open: news.open, stop: dashboard.stop };
}

/** What is worth saying of anomalies that are told at least once, and in any order. */
export function createNews() {
  const versions = new Map<string, number>();
  const open = new Set<string>();
  return {
    open: () => open.size,
    /** @returns undefined for what was said before */
    take(record: AnomalyRecord): string | undefined {
      const { id, version, state } = record;
      const known = versions.get(id);
      if (known !== undefined && known >= version) return undefined;
      versions.set(id, version);
      if (state === 'open') open.add(id);
      else open.delete(id);
      return newsOf(record, known === undefined);
    },
  };
}

function newsOf({ id, kind, state, sentence }: AnomalyRecord, isNew: boolean): string {
  if (state === 'closed')
    return isNew ? `ANOMALY, over already: ${sentence}` : `over     ${sentence}`;
  const head = isNew ? 'ANOMALY ' : `now a ${kind}: `;
  return `${head} ${sentence}\n         Why: npm run anomalies -- show ${id}`;
}
