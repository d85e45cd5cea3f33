import * as z from 'zod';
import type { LaptopOptions } from '../local/cloud.ts';
import { incidentRemark } from './remark.ts';
import { OPERATOR } from './target.ts';

/** An incident as `defend` announces it on the event bus. */
const Announced = z.object({
  source: z.literal('tributary'),
  'detail-type': z.literal('Security incident'),
  detail: z.object({
    id: z.string(),
    state: z.string(),
    severity: z.string(),
    cause: z.string(),
    subject: z.object({ kind: z.string(), name: z.string() }),
    containment: z.object({ rung: z.string(), state: z.string() }).optional(),
  }),
});

/** Says each incident as it opens, is contained and ends; and of refusals, which incident they are because of. */
export function showIncidents(
  say: (text: string) => void,
  { stage, endpoint }: { readonly stage: string; readonly endpoint: string },
): Pick<LaptopOptions, 'onEvent' | 'remark'> {
  const client = { endpoint, region: 'eu-central-1', credentials: OPERATOR };
  const remark = incidentRemark({ client, stage });
  return {
    onEvent: (event) => {
      const line = incidentLine(event);
      if (line !== undefined) say(line);
    },
    remark: async (refusal) => {
      const text = await remark(refusal);
      if (text !== undefined) say(`      ${text}`);
      return text;
    },
  };
}

/** @returns nothing for an event of another kind */
export function incidentLine(event: unknown): string | undefined {
  const { data } = Announced.safeParse(event);
  if (data === undefined) return undefined;
  const { id, state, severity, cause, subject, containment } = data.detail;
  const held = containment === undefined ? '' : ` (${containment.rung} ${containment.state})`;
  return `incident  ${severity} ${cause} at ${subject.name}: ${state}${held}  npm run incident -- show ${id}`;
}
