import type { Expression, Statement } from '../core/sql/index.ts';
import { walkExpressions } from '../core/sql/index.ts';
import type { DeclaredRule, Finding } from './declared.ts';

/** What an expression depends on: the sender's data, who the sender is, or neither. */
type Source = 'payload' | 'connection' | 'none';

/** Parameters that name a resource: nothing a device says or is may choose it. */
const RESOURCES: ReadonlySet<string> = new Set([
  'CloudwatchLogs.LogGroupName',
  'DynamoDBv2.PutItem.TableName',
  'Firehose.DeliveryStreamName',
  'Http.Url',
  'Kinesis.StreamName',
  'Lambda.FunctionArn',
  'S3.BucketName',
  'Sns.TargetArn',
  'Sqs.QueueUrl',
]);

/** Parameters that say where within a resource: policies hold a device to its topics and its names. */
const PLACES: ReadonlySet<string> = new Set([
  'Republish.Topic',
  'Republish.Headers.ResponseTopic',
  'S3.Key',
]);

const CONNECTION = new Set(['clientid', 'principal', 'sourceip', 'topic']);
/** Written by the device, though not in the payload. */
const SENDER = new Set(['get_mqtt_property', 'get_thing_shadow', 'get_user_properties']);

/** Parameters by which a payload, or in part a connection, could lead data elsewhere. */
export const redirections = ({ statement, actions }: DeclaredRule): Finding[] =>
  actions.flatMap(({ where, substitutions }) =>
    substitutions.flatMap(({ path, text, expressions }) => {
      const isResource = RESOURCES.has(path);
      if (!isResource && !PLACES.has(path)) return [];
      const sources = expressions.map((expression) => sourceOf(expression, statement));
      const problem = sources.includes('payload')
        ? `${text} lets the payload choose where data goes; use topic(), principal() or clientid(), which policies hold`
        : isResource && sources.includes('connection')
          ? `${text} lets whoever publishes choose the resource; name it`
          : undefined;
      if (problem === undefined) return [];
      return [{ code: 'redirection', where: `${where}: ${path}`, problem }];
    }),
  );

function sourceOf(expression: Expression, statement: Statement | undefined): Source {
  switch (expression.kind) {
    case 'name':
    case 'star':
      return 'payload';
    case 'variable':
      return sourceOfVariable(expression.name, statement);
    case 'call':
      if (SENDER.has(expression.name)) return 'payload';
      return CONNECTION.has(expression.name) ? 'connection' : 'none';
    default:
      return 'none';
  }
}

function sourceOfVariable(name: string, statement: Statement | undefined): Source {
  const at = statement?.assignments.findIndex((assignment) => assignment.name === name) ?? -1;
  const assignment = statement?.assignments[at];
  if (statement === undefined || assignment === undefined) return 'payload';
  // only what was bound before can be meant, so this comes to an end
  const before = { ...statement, assignments: statement.assignments.slice(0, at) };
  const inner = walkExpressions({ source: '', parts: [assignment.value] });
  const sources = Array.from(inner, (expression) => sourceOf(expression, before));
  if (sources.includes('payload')) return 'payload';
  return sources.includes('connection') ? 'connection' : 'none';
}
