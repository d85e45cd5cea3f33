import * as z from 'zod';
import { decodeToken, encodeToken } from '../../core/kinesis/opaque-token.ts';
import { AwsError, type Operation, operation } from '../operation.ts';
import { shardPage } from './shard-page.ts';
import {
  arnOf,
  type KinesisDeps,
  members,
  streamMembers,
  streamNameOf,
  target,
} from './stream-call.ts';

const TOKEN_LIFETIME_MS = 300_000;
const MOST = 1_000;

/** All shards here are open from the beginning, so of the filters only `AFTER_SHARD_ID` selects. */
const Filter = members({
  Type: z.enum([
    'AFTER_SHARD_ID',
    'AT_TRIM_HORIZON',
    'FROM_TRIM_HORIZON',
    'AT_LATEST',
    'AT_TIMESTAMP',
    'FROM_TIMESTAMP',
  ]),
  ShardId: z.string().optional(),
  Timestamp: z.number().optional(),
});

const Input = members({
  ...streamMembers,
  NextToken: z.string().optional(),
  ExclusiveStartShardId: z.string().optional(),
  MaxResults: z.int().min(1).max(10_000).optional(),
  ShardFilter: Filter.optional(),
});
type Input = z.infer<typeof Input>;

const Token = z.tuple([z.literal('shards'), z.string(), z.string(), z.number()]);

/** The shards of a stream, a thousand at most. */
export const listShards = (deps: KinesisDeps): Operation =>
  operation({
    route: target('ListShards'),
    input: Input,
    needs: (input) => [
      { action: 'kinesis:ListShards', resource: arnOf(deps, pageOf(input, deps.now()).name) },
    ],
    run: ({ input }) => {
      const nowMs = deps.now();
      const { name, after } = pageOf(input, nowMs);
      const limit = Math.min(input.MaxResults ?? MOST, MOST);
      const { shards, more } = shardPage(deps.streams, name, after, limit);
      const last = shards.at(-1)?.ShardId;
      return {
        Shards: shards,
        ...(more && { NextToken: encodeToken(['shards', name, last, nowMs]) }),
      };
    },
  });

/** Where the answer begins: as the token says, or as the other members do. */
function pageOf(input: Input, nowMs: number): { name: string; after: string | undefined } {
  if (input.NextToken !== undefined) return continued(input, input.NextToken, nowMs);
  const { ExclusiveStartShardId, ShardFilter } = input;
  return {
    name: streamNameOf(input),
    after: ExclusiveStartShardId ?? (ShardFilter && afterFilter(ShardFilter)),
  };
}

function afterFilter({ Type, ShardId }: z.infer<typeof Filter>): string | undefined {
  if (Type !== 'AFTER_SHARD_ID') return undefined;
  if (ShardId !== undefined) return ShardId;
  const message = 'ShardFilter of type AFTER_SHARD_ID needs a ShardId.';
  throw new AwsError('InvalidArgumentException', message);
}

function continued(input: Input, token: string, nowMs: number) {
  if (input.StreamName !== undefined || input.ExclusiveStartShardId !== undefined) {
    const message = 'NextToken stands alone: it knows the stream and the shard to go on from.';
    throw new AwsError('InvalidArgumentException', message);
  }
  const fields = Token.safeParse(decodeToken(token));
  if (!fields.success) {
    throw new AwsError('InvalidArgumentException', 'NextToken is none that ListShards gave out.');
  }
  const [, name, after, issuedAtMs] = fields.data;
  if (nowMs <= issuedAtMs + TOKEN_LIFETIME_MS) return { name, after };
  throw new AwsError('ExpiredNextTokenException', 'NextToken is older than 300 seconds.');
}
