import type { AnomalyRecord } from './anomaly-record.ts';

/** What is said of an anomaly where people and machines subscribe. */
export interface AnomalyNotice {
  /** At most 100 characters of ASCII. */
  readonly subject: string;
  readonly sentence: string;
  /** The record as JSON. */
  readonly body: string;
  readonly attributes: Readonly<Record<string, string | number>>;
}

const SUBJECT_CHARS = 100;

export function anomalyNotice(record: AnomalyRecord): AnomalyNotice {
  const { id, version, state, kind, fleet, thing, metric, score, sentence } = record;
  const where = metric === undefined ? thing : `${metric} of ${thing}`;
  return {
    subject: `${state === 'open' ? kind : `over: ${kind}`}, ${where}`
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, SUBJECT_CHARS),
    sentence,
    body: JSON.stringify(record),
    attributes: {
      id,
      version,
      state,
      kind,
      fleet,
      thing,
      ...(metric === undefined ? {} : { metric }),
      score,
    },
  };
}
