import * as z from 'zod';
import type { Need } from '../../operations/operation.ts';
import {
  ActionError,
  type ActionKind,
  type ActionTools,
  type LogEvent,
  type Turn,
  textOf,
} from './action.ts';
import { elementsOf } from './json-array.ts';

const Declaration = z.strictObject({
  LogGroupName: z.string().min(1),
  BatchMode: z.boolean().default(false),
  RoleArn: z.string(),
});

const Entry = z.object({ timestamp: z.number(), message: z.string() });

const MAX_EVENTS = 10_000;

/** @see IoT Core Developer Guide, CloudWatch Logs action */
export const cloudwatchLogs: ActionKind<z.infer<typeof Declaration>> = {
  declaration: Declaration,
  create({ LogGroupName, BatchMode, RoleArn }, tools) {
    const { logEvents } = tools.sinks;
    if (logEvents === undefined) throw new Error('the laptop keeps no log groups here');
    const logGroup = tools.parameter(LogGroupName);
    return {
      name: 'CloudwatchLogsAction',
      resource: LogGroupName,
      async prepare(turn) {
        const resource = await logGroup(turn);
        const attempt = () => {
          tools.demand(RoleArn, needs(tools, resource));
          return logEvents(resource, BatchMode ? batchOf(turn) : [eventOf(turn)]);
        };
        return { resource, attempt };
      },
    };
  },
};

function needs({ region, accountId, rule }: ActionTools, logGroup: string): Need[] {
  const group = `arn:aws:logs:${region}:${accountId}:log-group:${logGroup}`;
  const stream = `${group}:log-stream:${rule.name}`;
  return [
    { action: 'logs:CreateLogStream', resource: stream },
    { action: 'logs:DescribeLogStreams', resource: `${group}:log-stream:` },
    { action: 'logs:PutLogEvents', resource: stream },
  ];
}

const eventOf = (turn: Turn): LogEvent => ({
  timestampMs: turn.env.nowMs,
  message: textOf(turn),
});

const batchOf = (turn: Turn): LogEvent[] =>
  elementsOf(turn, MAX_EVENTS).map((element, at) => {
    const entry = Entry.safeParse(element);
    if (entry.success) {
      return { timestampMs: entry.data.timestamp, message: entry.data.message };
    }
    throw new ActionError(
      `In batch mode each element is {timestamp, message}; element ${at} is not.`,
    );
  });
