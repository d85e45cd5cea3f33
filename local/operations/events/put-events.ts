import * as z from 'zod';
import { busNameOf, type EventBus } from '../../runtime/event-bus.ts';
import { type Operation, operation } from '../operation.ts';

export interface EventsDeps {
  readonly bus: EventBus;
  readonly accountId: string;
  readonly region: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly uuid: () => string;
}

const Entry = z.strictObject({
  Time: z.number().optional(),
  Source: z.string().optional(),
  Resources: z.array(z.string()).default([]),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().default('default'),
  TraceHeader: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

const Input = z.strictObject({
  Entries: z.array(Entry).min(1).max(10),
  EndpointId: z.undefined('the laptop has no global endpoints').optional(),
});

const ENTRY_BYTES = 262_144;

/** @see EventBridge API Reference, PutEvents: each entry is taken or refused on its own. */
export const putEvents = ({ bus, accountId, region, now, uuid }: EventsDeps): Operation =>
  operation({
    route: { target: 'AWSEvents.PutEvents' },
    input: Input,
    needs: ({ Entries }) =>
      [...new Set(Entries.map(({ EventBusName }) => busNameOf(EventBusName)))].map((name) => ({
        action: 'events:PutEvents',
        resource: `arn:aws:events:${region}:${accountId}:event-bus/${name}`,
      })),
    async run({ input: { Entries } }) {
      const answers: object[] = [];
      let failed = 0;
      for (const entry of Entries) {
        const [ErrorCode, ErrorMessage] = problemOf(entry, bus) ?? [];
        if (ErrorCode !== undefined) {
          failed += 1;
          answers.push({ ErrorCode, ErrorMessage });
          continue;
        }
        const id = uuid();
        await bus.put(busNameOf(entry.EventBusName), {
          version: '0',
          id,
          'detail-type': entry.DetailType ?? '',
          source: entry.Source ?? '',
          account: accountId,
          time: secondsOf(entry.Time === undefined ? now() : entry.Time * 1000),
          region,
          resources: entry.Resources,
          detail: JSON.parse(entry.Detail ?? '{}'),
        });
        answers.push({ EventId: id });
      }
      return { FailedEntryCount: failed, Entries: answers };
    },
  });

const secondsOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

type Problem = readonly [code: string, message: string];

function problemOf(entry: Entry, bus: EventBus): Problem | undefined {
  const { Source = '', DetailType = '', Detail = '', EventBusName } = entry;
  const invalid = (message: string): Problem => ['InvalidArgument', message];
  if (Source === '')
    return invalid('Parameter Source is not valid. Reason: Source is a required argument.');
  if (DetailType === '')
    return invalid('Parameter DetailType is not valid. Reason: DetailType is a required argument.');
  if (Detail === '')
    return invalid('Parameter Detail is not valid. Reason: Detail is a required argument.');
  if (Source.startsWith('aws.'))
    return ['NotAuthorizedForSourceException', 'Not authorized for the source.'];
  if (Buffer.byteLength(Detail + Source + DetailType) > ENTRY_BYTES)
    return invalid('Total size of the entry is too large.');
  if (!bus.has(busNameOf(EventBusName)))
    return ['ResourceNotFoundException', `Event bus ${EventBusName} does not exist.`];
  return isObject(Detail) ? undefined : ['MalformedDetail', 'Detail is malformed.'];
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
