import type { Laptop } from '../local/cloud.ts';
import { openDashboard } from '../local/fleet/dashboard.ts';
import { AnomalyRecord } from '../shared/core/detection/anomaly-record.ts';
import { duration } from '../shared/core/detection/explain.ts';
import type { News } from './screen.ts';

/** Whoever watches anomalies of every fleet, and nothing else. */
const CLIENT_ID = 'anomaly-screen';
const FILTER = 'an/+/+';

/** Counts the anomalies that are open, and hears of each change. */
export interface AnomalyWatch {
  readonly open: () => number;
  readonly stop: () => Promise<void>;
}

/** Subscribes to the topics of anomalies as a dashboard does, with temporary keys that allow this alone. */
export async function watchAnomalies(
  laptop: Pick<Laptop, 'accountId' | 'region' | 'port443' | 'caPem' | 'addSession'>,
  tell: (news: News) => void,
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
      const told = news.take(AnomalyRecord.parse(JSON.parse(payload.toString())));
      if (told !== undefined) tell(told);
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
    take(record: AnomalyRecord): News | undefined {
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

function newsOf(record: AnomalyRecord, isNew: boolean): News {
  const { id, kind, thing, metric, sentence, openedAtMs, closedAtMs } = record;
  const why = `Why: npm run anomalies -- show ${id}`;
  if (closedAtMs === undefined) {
    const said = isNew ? sentence : `By now a ${kind}: ${sentence}`;
    return { label: 'ANOMALY', lines: [said, why] };
  }
  if (isNew) return { label: 'over', lines: [sentence, why] };
  const where = metric === undefined ? thing : `${metric} of ${thing}`;
  const lasted = duration(closedAtMs - openedAtMs);
  return { label: 'over', lines: [`The ${kind} of ${where}, after ${lasted}.`] };
}
