import * as z from 'zod';
import { type Operation, operation } from '../operation.ts';
import { type KinesisDeps, members, seconds, streamName, target } from './stream-call.ts';

const Input = members({
  Limit: z.int().min(1).max(10_000).optional(),
  ExclusiveStartStreamName: streamName.optional(),
  NextToken: streamName.optional(),
});

/** Streams by name, a hundred unless `Limit` says otherwise; the next token is the last name. */
export const listStreams = ({ streams }: KinesisDeps): Operation =>
  operation({
    route: target('ListStreams'),
    input: Input,
    needs: () => [{ action: 'kinesis:ListStreams', resource: '*' }],
    run: ({ input: { Limit = 100, ExclusiveStartStreamName, NextToken } }) => {
      const after = NextToken ?? ExclusiveStartStreamName ?? '';
      const rest = streams.list().filter(({ name }) => name > after);
      const page = rest.slice(0, Limit);
      const more = rest.length > page.length;
      return {
        StreamNames: page.map(({ name }) => name),
        HasMoreStreams: more,
        ...(more && { NextToken: page.at(-1)?.name }),
        StreamSummaries: page.map(({ name, arn, mode, createdAtMs }) => ({
          StreamName: name,
          StreamARN: arn,
          StreamStatus: 'ACTIVE',
          StreamModeDetails: { StreamMode: mode },
          StreamCreationTimestamp: seconds(createdAtMs),
        })),
      };
    },
  });
