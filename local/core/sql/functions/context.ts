import { toIndex, toText } from '../convert.ts';
import type { Scope } from '../scope.ts';
import { basicIngest } from '../topic.ts';
import type { SqlValue } from '../values.ts';
import { context, type FunctionTable, plain } from './function.ts';

const message = ({ evaluation }: Scope) => evaluation.message;

/** The topic without a Basic Ingest prefix, or one of its levels, counted from 1. */
function topic(scope: Scope, ...levels: SqlValue[]): SqlValue {
  const whole = basicIngest(message(scope).topic)?.topic ?? message(scope).topic;
  if (levels.length === 0) return whole;
  const level = toIndex(levels[0]);
  return level === undefined ? undefined : whole.split('/')[level - 1];
}

function mqttProperty(scope: Scope, name: SqlValue): SqlValue {
  const properties = message(scope).mqtt5;
  if (name === 'content_type') return properties?.contentType;
  if (name === 'format_indicator') return properties?.formatIndicator ?? 'UNSPECIFIED_BYTES';
  if (name === 'response_topic') return properties?.responseTopic;
  if (name !== 'correlation_data' || properties?.correlationData === undefined) return undefined;
  return Buffer.from(properties.correlationData).toString('base64');
}

/** The values of one key, which may repeat; without a key all of them as objects of one field. */
function userProperties(scope: Scope, ...keys: SqlValue[]): SqlValue {
  const properties = message(scope).mqtt5?.userProperties;
  if (properties === undefined) return undefined;
  if (keys.length === 0)
    return properties.map(([key, value]) => Object.fromEntries([[key, value]]));
  const wanted = toText(keys[0]);
  const values = properties.flatMap(([key, value]) => (key === wanted ? [value] : []));
  return values.length === 0 ? undefined : values;
}

export const CONTEXT: FunctionTable = {
  accountid: context(0, 0, ({ evaluation }) => evaluation.env.accountId),
  clientid: context(0, 0, (scope) =>
    message(scope).protocol === 'mqtt' ? (message(scope).clientId ?? 'n/a') : 'n/a',
  ),
  get_mqtt_property: context(1, 1, mqttProperty),
  get_user_properties: context(0, 1, userProperties),
  newuuid: context(0, 0, ({ evaluation }) => evaluation.env.uuid()),
  principal: context(0, 0, (scope) => message(scope).principal),
  sourceip: context(0, 0, (scope) => message(scope).sourceIp),
  sql_version: plain(0, 0, () => '2016-03-23'),
  topic: context(0, 1, topic),
  traceid: context(0, 0, (scope) =>
    message(scope).protocol === 'mqtt' ? message(scope).traceId : undefined,
  ),
};
