import * as z from 'zod';
import type { Tally } from './status-line.ts';

/** A call to the local AWS endpoint that took place. */
export interface ObservedCall {
  readonly target: string;
  readonly input: unknown;
}

const Batch = z.object({
  RequestItems: z.record(
    z.string(),
    z.array(
      z.looseObject({
        PutRequest: z.looseObject({ Item: z.record(z.string(), z.unknown()) }).optional(),
      }),
    ),
  ),
});
const Send = z.object({ QueueUrl: z.string(), Entries: z.array(z.unknown()).optional() });
const Transport = z.object({ S: z.string() });

/** What the gateway counts by itself. */
export interface GatewayCounters {
  readonly accepted: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly errorActions: number;
}

/** Counts readings and dead letters as the functions write them. */
export function countCalls(stage: string) {
  const table = `tributary-${stage}-readings`;
  const queue = `tributary-${stage}-dead-letters`;
  const readings: Record<string, number> = {};
  let deadLetters = 0;

  const countReadings = (input: unknown): void => {
    for (const { PutRequest } of Batch.safeParse(input).data?.RequestItems[table] ?? []) {
      const transport = Transport.safeParse(PutRequest?.Item['transport']).data?.S;
      if (transport !== undefined) readings[transport] = (readings[transport] ?? 0) + 1;
    }
  };
  const countLetters = (input: unknown): void => {
    const { data } = Send.safeParse(input);
    if (data?.QueueUrl.endsWith(`/${queue}`)) deadLetters += data.Entries?.length ?? 1;
  };

  return {
    observe({ target, input }: ObservedCall): void {
      if (target.endsWith('.BatchWriteItem')) countReadings(input);
      else if (target.startsWith('AmazonSQS.SendMessage')) countLetters(input);
    },
    with: ({ accepted, refused, errorActions }: GatewayCounters, anomalies = 0): Tally => ({
      messages: accepted,
      readings,
      deadLetters,
      anomalies,
      errorActions,
      refused: Object.values(refused).reduce((sum, count) => sum + count, 0),
    }),
  };
}
